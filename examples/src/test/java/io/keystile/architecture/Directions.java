package io.keystile.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.core.domain.properties.HasParameterTypes.Predicates.rawParameterTypes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.io.ObjectInputStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Who may know whom, for the packages below a root, so that the same rules judge planted ones. */
final class Directions {
  private Directions() {}

  static Map<String, ArchRule> below(String root) {
    String limit = root + ".limit";
    String usage = root + ".usage";
    String http = root + ".http";
    String leak = root + ".leak";
    String store = root + ".store";
    String jdbc = root + ".store.jdbc";
    String[] core = {root, limit, usage, http, leak};

    Map<String, ArchRule> rules = new LinkedHashMap<>();
    rules.put("core does not know SQL", forbid(core, "java.sql..", "javax.sql.."));
    rules.put(
        "store-spi knows nothing but Java",
        noClasses()
            .that()
            .resideInAPackage(store)
            .should()
            .dependOnClassesThat(not(resideInAnyPackage("java..", "org.jspecify..", store))));
    rules.put("store-jdbc does not know core", forbid(new String[] {jdbc}, core));
    rules.put(
        "limit does not know who uses it", forbid(new String[] {limit}, root, usage, http, leak));
    rules.put("usage does not know who uses it", forbid(new String[] {usage}, root, http, leak));
    rules.put("the root does not know http", forbid(new String[] {root}, http));
    rules.put("the root does not know leak", forbid(new String[] {root}, leak));
    rules.put("no cycles", slices().matching("(" + root + "..)").should().beFreeOfCycles());
    rules.put(
        "hashes are compared in constant time",
        noClasses()
            .should()
            .callMethodWhere(
                target(owner(JavaClass.Predicates.type(Arrays.class)))
                    .and(target(name("equals")))
                    .and(target(rawParameterTypes(byte[].class, byte[].class)))));
    rules.put(
        "no guessable random",
        noClasses().should().dependOnClassesThat().belongToAnyOf(Random.class));
    rules.put(
        "nothing is deserialized",
        noClasses().should().dependOnClassesThat().areAssignableTo(ObjectInputStream.class));
    rules.replaceAll((name, rule) -> rule.allowEmptyShould(true));
    return rules;
  }

  private static ArchRule forbid(String[] from, String... to) {
    return noClasses()
        .that()
        .resideInAnyPackage(from)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(to);
  }
}
