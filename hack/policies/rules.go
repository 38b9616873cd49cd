package main

import (
	"fmt"
	"strings"
)

// readRules returns the variables and the validations by which the author may read every Secret of a list of names. One name after the
// other is asked about: a single expression may cost no more than two questions.
func readRules(names string) (variables, validations []any) {
	const all = "variables.maySeeAll"
	variables = append(variables, variable("names0", names), variable("maySeeAll", "size(variables.names0) == 0 || "+right("", "secrets", "get", "")))
	for i := range maxSecrets {
		list := fmt.Sprintf("variables.names%d", i)
		validations = append(validations, map[string]any{
			"expression": all + " || size(" + list + ") == 0 || " + right("", "secrets", "get", list+"[0]"),
			"messageExpression": "size(" + list + ") == 0 ? '' : 'you may not read Secret \"' + string(" + list + "[0]) + " +
				"'\", which this object has Mailvane read: name another one, or ask for \"get\" on it'",
			"message": "you may not read a Secret that this object has Mailvane read",
			"reason":  "Forbidden",
		})
		variables = append(variables, variable(fmt.Sprintf("names%d", i+1), "size("+list+") == 0 ? [] : "+list+".filter(name, name != "+list+"[0])"))
	}
	validations = append(validations, map[string]any{
		"expression": fmt.Sprintf("%s || size(variables.names%d) == 0", all, maxSecrets),
		"message": fmt.Sprintf("this object names more than %d Secrets, too many to ask about: name fewer, or ask for \"get\" on all Secrets of the namespace",
			maxSecrets),
		"reason": "Forbidden",
	})
	return variables, validations
}

// right returns the question whether the author has a right in the namespace of the object.
func right(group, resource, verb, name string) string {
	question := fmt.Sprintf("authorizer.group('%s').resource('%s').namespace(object.metadata.namespace)", group, resource)
	if name != "" {
		question += ".name(" + name + ")"
	}
	return question + fmt.Sprintf(".check('%s').allowed()", verb)
}

func anyOf(rights []string) string { return strings.Join(rights, " || ") }

// changes returns the question whether a part of the spec is there and not as it was. A part that stays needs no right anew; in one that
// changes, for example in its URL, the same Secret goes elsewhere.
func changes(part string) string {
	return fmt.Sprintf("has(object.spec.%[1]s) && (oldObject == null || !has(oldObject.spec.%[1]s) || object.spec.%[1]s != oldObject.spec.%[1]s)", part)
}

// endpointRules are about what the manager makes. Where an endpoint is exposed depends on its path, and whether everything below that is,
// on a path token.
func endpointRules() []rule {
	const (
		deployments  = "this object has a receiver of its own, for which Mailvane makes pods, and you may create neither Deployments nor pods in this namespace: leave spec.receiver out, or ask for the right"
		statefulSets = "this object has a receiver with PersistentVolumeClaims, for which Mailvane makes a StatefulSet, and you may not create one in this namespace"
		ingresses    = "spec.exposure.ingress has Mailvane create an Ingress, and you may not create one in this namespace"
		routes       = "spec.exposure.gateway has Mailvane create an HTTPRoute, and you may not create one in this namespace"
		claims       = "has(object.spec.receiver.journal) && has(object.spec.receiver.journal.embedded) && object.spec.receiver.journal.embedded.persistence == 'PersistentVolumeClaim'"
		elsewhere    = "has(object.spec.exposure) && (oldObject == null || !has(oldObject.spec.exposure) || object.spec.exposure != oldObject.spec.exposure || " +
			"(has(object.spec.path) ? object.spec.path : '') != (has(oldObject.spec.path) ? oldObject.spec.path : '') || " +
			"(has(object.spec.authentication) && has(object.spec.authentication.pathToken)) != (has(oldObject.spec.authentication) && has(oldObject.spec.authentication.pathToken)))"
	)
	return []rule{
		{"makesPods", changes("receiver"), deployments, []string{right("apps", "deployments", "create", ""), right("", "pods", "create", "")}},
		{"makesClaims", "variables.makesPods && " + claims, statefulSets, []string{right("apps", "statefulsets", "create", "")}},
		{"makesIngress", elsewhere + " && has(object.spec.exposure.ingress)", ingresses, []string{right("networking.k8s.io", "ingresses", "create", "")}},
		{"makesRoute", elsewhere + " && has(object.spec.exposure.gateway)", routes, []string{right("gateway.networking.k8s.io", "httproutes", "create", "")}},
	}
}
