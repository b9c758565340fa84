#pragma once

#include "adapters/amqp/connection_loop.h"
#include "adapters/amqp/credit.h"
#include "adapters/amqp/drain_question.h"
#include "adapters/amqp/message_reader.h"
#include "adapters/amqp/ownership.h"
#include "adapters/amqp/source.h"
#include "adapters/amqp/unsettled.h"

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <proton/delivery.hpp>
#include <proton/receiver.hpp>
#include <proton/session.hpp>

namespace helsekontakter::amqp {

/// The thread behind AmqpSource and all that it owns. Other threads reach it by the mailbox and by
/// `ownership()` only.
///
/// The link's life: none → attaching → attached → leaving → none, and attached anew;
/// or let_go, after which nothing is attached any more.
class AmqpSource::Loop final : public ConnectionLoop {
 public:
  Loop(SourceSettings settings, crypto::Password password, Decode decode, Inbox& inbox,
       Observer observer);
  ~Loop() override;

  [[nodiscard]] Result<void> start() { return begin(); }
  void order(SourceOrders orders);
  void settle(Settlement settlement);
  void stop();
  [[nodiscard]] const Ownership& ownership() const { return ownership_; }

 private:
  enum class Link : std::uint8_t { none, attaching, attached, leaving, let_go };

  void opened(proton::connection& connection) override;
  void closed() override;
  void turn() override;
  void let_go() override;
  [[nodiscard]] bool ended() const override;

  void on_receiver_open(proton::receiver& receiver) override;
  void on_receiver_error(proton::receiver& receiver) override;
  void on_receiver_close(proton::receiver& receiver) override;
  void on_receiver_detach(proton::receiver& receiver) override;
  void on_receiver_drain_finish(proton::receiver& receiver) override;
  void on_session_close(proton::session& session) override;
  void on_message(proton::delivery& delivery, proton::message& message) override;

  void attach();
  void tell_attached(bool attached);
  void warn_of_ttl(const proton::message& message);
  void assign(bool clean);
  void lose();
  void obey(const SourceOrders& orders);
  void conclude(const Settlement& settlement);
  void accept();
  void leave();
  void deliver();
  void grant();
  void check_deadline();
  void check_drained();
  void drain_answered();
  void say_drained();
  [[nodiscard]] bool is_at_rest() const;
  [[nodiscard]] bool is_ours(const proton::receiver& receiver) const;

  const SourceSettings settings_;
  const Decode decode_;
  Inbox& inbox_;
  const Observer observer_;
  Ownership ownership_;
  MessageReader reader_;
  CreditWindow window_;

  std::mutex mail_mutex_;  ///< guards the two below
  std::vector<SourceOrders> orders_;
  std::vector<Settlement> settlements_;

  proton::connection connection_;
  proton::session session_;  ///< of this attach alone: its end gives everything back
  proton::receiver receiver_;
  Link link_ = Link::none;
  Clock::time_point link_by_{};  ///< when attaching or leaving must have ended
  bool attach_again_ = false;    ///< after leaving
  Epoch epoch_{};
  bool assigned_ = false;  ///< the core was told, and not told Lost since
  bool clean_;             ///< nothing of the time before may still be executed
  bool fresh_ = false;     ///< nothing was delivered under this epoch yet
  Clock::time_point assigned_at_{};
  bool told_of_ttl_ = false;
  bool told_attached_ = false;
  bool comes_again_ = false;  ///< among `pending_` is what was delivered before
  bool came_again_ = false;   ///< so was the last that came
  bool tells_first_ = false;  ///< this broker sets first-acquirer
  bool paused_ = false;
  bool delivery_is_due_ = false;
  Offset next_ = 0;

  Unsettled<proton::delivery> unsettled_;
  Clock::time_point out_of_order_since_{};  ///< something concluded waits for older ones
  std::vector<Delivery> pending_;           ///< not in the inbox yet
  std::size_t read_bytes_ = 0;

  // For a drain.
  DrainQuestion question_;
  Offset asked_at_ = 0;              ///< what had come when it was asked
  int questions_left_ = 0;           ///< on this link
  Clock::time_point quiet_since_{};  ///< nothing came, nothing was settled
  bool may_come_back_ = false;       ///< what an earlier link gave back may not be in the queue yet
  bool told_drained_ = false;
};

}  // namespace helsekontakter::amqp
