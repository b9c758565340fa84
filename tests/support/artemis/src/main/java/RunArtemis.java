import java.nio.file.Path;
import java.util.Set;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.security.Role;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;
import org.apache.activemq.artemis.spi.core.security.ActiveMQJAASSecurityManager;

/** An Artemis broker for tests: AMQP 1.0 on two ports, users and certificates from files. */
public final class RunArtemis {
  /** Arguments: folder, port, port for TLS. */
  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    var configuration = new ConfigurationImpl();
    configuration.setPersistenceEnabled(true);
    configuration.setJournalType(
        org.apache.activemq.artemis.core.server.JournalType.NIO);
    configuration.setJournalFileSize(1 << 20);
    configuration.setBindingsDirectory(folder.resolve("data/bindings").toString());
    configuration.setJournalDirectory(folder.resolve("data/journal").toString());
    configuration.setLargeMessagesDirectory(folder.resolve("data/large").toString());
    configuration.setPagingDirectory(folder.resolve("data/paging").toString());
    configuration.setSecurityEnabled(true);
    configuration.addAcceptorConfiguration(
        "plain", "tcp://127.0.0.1:" + arguments[1] + "?protocols=AMQP");
    configuration.addAcceptorConfiguration(
        "tls",
        "tcp://127.0.0.1:" + arguments[2] + "?protocols=AMQP;sslEnabled=true;wantClientAuth=true"
            + ";saslMechanisms=EXTERNAL,PLAIN;keyStoreType=PKCS12;trustStoreType=PKCS12"
            + ";keyStorePassword=secret;trustStorePassword=secret"
            + ";keyStorePath=" + folder.resolve("tls/server.p12")
            + ";trustStorePath=" + folder.resolve("tls/ca.p12"));
    // The default would be MULTICAST: a receiver that comes later gets nothing.
    var settings = new AddressSettings();
    settings.setDefaultAddressRoutingType(RoutingType.ANYCAST);
    settings.setDefaultQueueRoutingType(RoutingType.ANYCAST);
    settings.setAutoDeleteQueues(false);
    // The default, 10, would drop what connections that were cut have brought back too often.
    settings.setMaxDeliveryAttempts(-1);
    settings.setAutoDeleteAddresses(false);
    settings.setExpiryAddress(SimpleString.of("membership-expired"));
    configuration.addAddressSetting("#", settings);
    configuration.putSecurityRoles("#", Set.of(everything("workers")));
    var server = new EmbeddedActiveMQ();
    server.setConfiguration(configuration);
    server.setSecurityManager(new ActiveMQJAASSecurityManager("users", "certificates"));
    server.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        server.stop();
      } catch (Exception error) {
        error.printStackTrace();
      }
    }));
    Thread.currentThread().join();
  }

  private static Role everything(String name) {
    return new Role(name, true, true, true, true, true, true, true, true, true, true, true, true);
  }
}
