import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CachingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Validates the FHIR R4 Bundles of a folder, offline, in one run. The folder's parts say what is
 * expected: must-pass/ holds no invalid one, must-fail/ no valid one, may-fail/ is only reported.
 * Exit status: 0 as expected, 1 not so, 2 wrong usage or nothing to validate.
 */
public final class ValidateBundles {
  private final FhirValidator validator;
  private int unexpected = 0;

  private ValidateBundles() {
    FhirContext context = FhirContext.forR4Cached();
    UnknownCodeSystemWarningValidationSupport unknownSystems =
        new UnknownCodeSystemWarningValidationSupport(context);
    ValidationSupportChain support =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            unknownSystems);
    validator = context.newValidator();
    validator.registerValidatorModule(
        new FhirInstanceValidator(new CachingValidationSupport(support)));
  }

  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 1) {
      System.err.println("usage: ValidateBundles FOLDER");
      System.exit(2);
    }
    Path folder = Path.of(arguments[0]);
    ValidateBundles run = new ValidateBundles();
    int passing = run.expectValid(folder.resolve("must-pass"));
    int failing = run.expectInvalid(folder.resolve("must-fail"));
    run.report(folder.resolve("may-fail"));
    if (passing == 0 || failing == 0) {
      System.err.println("nothing to validate in " + folder);
      System.exit(2);
    }
    System.exit(run.unexpected == 0 ? 0 : 1);
  }

  private int expectValid(Path folder) throws IOException {
    List<Path> files = bundles(folder);
    for (Path file : files) {
      List<String> errors = errors(file);
      if (errors.isEmpty()) continue;
      unexpected++;
      System.out.println("INVALID " + file.getFileName());
      errors.forEach(error -> System.out.println("  " + error));
    }
    System.out.println(files.size() + " Bundles of valid settings validated");
    return files.size();
  }

  private int expectInvalid(Path folder) throws IOException {
    List<Path> files = bundles(folder);
    for (Path file : files) {
      List<String> errors = errors(file);
      if (errors.isEmpty()) {
        unexpected++;
        System.out.println("BROKEN BUT PASSED " + file.getFileName());
      } else {
        System.out.println("broken on purpose: " + file.getFileName() + ": " + errors.get(0));
      }
    }
    return files.size();
  }

  /** What the validator says of settings that our own predicate warns of, each message once. */
  private void report(Path folder) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    int valid = 0;
    List<Path> files = bundles(folder);
    for (Path file : files) {
      List<String> errors = errors(file);
      if (errors.isEmpty()) valid++;
      errors.stream().map(ValidateBundles::withoutPlace).distinct()
          .forEach(error -> counts.merge(error, 1, Integer::sum));
    }
    System.out.println(files.size() + " Bundles of settings with a warning, of which " + valid
        + " pass the validator");
    counts.forEach((message, count) -> System.out.println("  " + count + " × " + message));
  }

  private static String withoutPlace(String error) {
    return error.substring(error.indexOf(' ') + 1)
        .replaceAll("urn:uuid:[0-9a-f-]+", "urn:uuid:…").replaceAll("\\([^)]*\\)$", "");
  }

  private static List<Path> bundles(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) return List.of();
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".json")).sorted()
          .collect(Collectors.toList());
    }
  }

  private List<String> errors(Path file) throws IOException {
    return validator.validateWithResult(Files.readString(file)).getMessages().stream()
        .filter(message -> message.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0)
        .map(ValidateBundles::describe)
        .collect(Collectors.toList());
  }

  private static String describe(SingleValidationMessage message) {
    return message.getLocationString() + " " + message.getMessage();
  }
}
