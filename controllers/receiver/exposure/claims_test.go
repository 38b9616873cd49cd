package exposure

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

// TestAHostStaysItsNamespaces claims hosts and paths over restarts of the manager, and gives one away by hand.
func TestAHostStaysItsNamespaces(t *testing.T) {
	t.Parallel()
	api := fake.NewClientBuilder().Build()
	key := client.ObjectKey{Namespace: "mailvane-system", Name: "hosts"}
	restarted := func() *Claims { return NewClaims(api, api, key) }
	hold := func(c *Claims, url, namespace, want string) {
		t.Helper()
		owner, err := c.hold(t.Context(), url, namespace, func(string) bool { return true })
		if err != nil || owner != want {
			t.Errorf("%s for %s: %s, %v, want %s", url, namespace, owner, err, want)
		}
	}
	c := restarted()
	hold(c, "a.example.com/x", "mail", "mail")
	hold(c, "a.example.com/y", "sales", "sales")
	hold(c, "a.example.com/x", "sales", "mail")
	c = restarted()
	hold(c, "a.example.com/x", "sales", "mail")
	hold(c, "a.example.com/x", "mail", "mail")

	var stored corev1.ConfigMap
	if err := api.Get(t.Context(), key, &stored); err != nil {
		t.Fatal(err)
	}
	if stored.Data[claimKey("a.example.com/x")] != "mail a.example.com/x" || len(stored.Data) != 2 {
		t.Errorf("%v", stored.Data)
	}
	delete(stored.Data, claimKey("a.example.com/x"))
	if err := api.Update(t.Context(), &stored); err != nil {
		t.Fatal(err)
	}
	hold(c, "a.example.com/x", "sales", "sales")
	hold(c, "a.example.com/x", "mail", "sales")
	hold(NewClaims(api, api, client.ObjectKey{}), "a.example.com/x", "mail", "mail") // without a ConfigMap, nothing is noted
}

// TestClaimsAreBounded fills the ConfigMap. A namespace makes room by what it no longer asks for, and takes none of another's.
func TestClaimsAreBounded(t *testing.T) {
	t.Parallel()
	key := client.ObjectKey{Namespace: "mailvane-system", Name: "hosts"}
	full := &corev1.ConfigMap{Data: map[string]string{}}
	full.Namespace, full.Name = key.Namespace, key.Name
	full.Data[claimKey("mine")] = "mail " + strings.Repeat("m", 1000)
	for i := 0; sizeOf(full.Data) < maxClaimBytes-500; i++ {
		full.Data[claimKey(fmt.Sprint(i))] = fmt.Sprintf("other %d.%s", i, strings.Repeat("x", 900))
	}
	for name, used := range map[string]bool{"room is made": false, "there is no room": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := fake.NewClientBuilder().WithObjects(full.DeepCopy()).Build()
			c := NewClaims(api, api, key)
			url := strings.Repeat("u", 800)
			owner, err := c.hold(t.Context(), url, "mail", func(string) bool { return used })
			if err != nil || owner != "mail" {
				t.Fatalf("%s, %v", owner, err)
			}
			var stored corev1.ConfigMap
			if err := api.Get(t.Context(), key, &stored); err != nil {
				t.Fatal(err)
			}
			others := 0
			for _, value := range stored.Data {
				if strings.HasPrefix(value, "other ") {
					others++
				}
			}
			if _, noted := stored.Data[claimKey(url)]; noted == used || sizeOf(stored.Data) > maxClaimBytes || others != len(full.Data)-1 {
				t.Errorf("noted %t, %d bytes, %d of others", noted, sizeOf(stored.Data), others)
			}
		})
	}
}
