package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/test/controlplane"
	"github.com/mailvane/mailvane/test/controlplane/assets"
)

var cluster controlplane.ControlPlane

// user is somebody with a kubeconfig.
type user struct {
	t          *testing.T
	kubeconfig string
}

// newUser returns a user with no rights.
func newUser(t *testing.T, name string) *user {
	t.Helper()
	u := &user{t: t, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := os.WriteFile(u.kubeconfig, cluster.Kubeconfig(t, name), 0o600); err != nil {
		t.Fatal(err)
	}
	return u
}

// mailvane runs the program as the user, and returns what it printed on each stream.
func (u *user) mailvane(arguments ...string) (stdout, stderr string, status int) {
	u.t.Helper()
	return u.run(os.Args[0], arguments...)
}

func (u *user) run(program string, arguments ...string) (stdout, stderr string, status int) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program, arguments...)
	c.Env = append(os.Environ(), asProgram+"=1", "KUBECONFIG="+u.kubeconfig)
	var out, errors strings.Builder
	c.Stdout, c.Stderr = &out, &errors
	if err := c.Run(); err != nil && c.ProcessState == nil {
		u.t.Fatal(err)
	}
	return out.String(), errors.String(), c.ProcessState.ExitCode()
}

// must runs the program, which must succeed, and returns what it printed.
func (u *user) must(arguments ...string) string {
	u.t.Helper()
	stdout, stderr, status := u.mailvane(arguments...)
	if status != 0 || stderr != "" {
		u.t.Fatalf("mailvane %v: status %d\n%s%s", arguments, status, stdout, stderr)
	}
	return stdout
}

// documentedRole returns the rules that docs/operations.md says that a user needs.
func documentedRole(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?s)\n    kind: Role\n(.*?)\n\n`).FindSubmatch(page)
	if text == nil {
		t.Fatal("docs/operations.md does not show a Role any more")
	}
	var role rbacv1.Role
	if err := yaml.UnmarshalStrict([]byte(regexp.MustCompile(`(?m)^    `).ReplaceAllString("    kind: Role\n"+string(text[1]), "")), &role); err != nil {
		t.Fatal(err)
	}
	return role.Rules
}

// grant gives a user rights in a namespace.
func grant(t *testing.T, namespace, name string, rules []rbacv1.PolicyRule) {
	t.Helper()
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	for _, o := range []client.Object{
		&rbacv1.Role{ObjectMeta: meta, Rules: rules},
		&rbacv1.RoleBinding{
			ObjectMeta: meta,
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		},
	} {
		if err := cluster.Client(t).Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

// field is a namespace of a cluster with two receivers, whose sink is down until it is told otherwise.
type field struct {
	namespace string
	tokens    string // the folder that the pods have mounted
	node      *kubelet
	first     *process
	second    *process
	sink      *destination
}

func newField(t *testing.T) *field {
	t.Helper()
	f := &field{namespace: cluster.Namespace(t)}
	l := listen(t, "127.0.0.1:0")
	f.sink = serve(t, l, http.StatusServiceUnavailable)
	folder := t.TempDir()
	manifests := secrets + "---\n" + endpoint("ee", "  - {name: all, sinkRef: {name: crm}}\n") + "---\n" + httpSink("crm", "http://"+l.Addr().String()+"/")
	write(t, folder, "all.yaml", strings.ReplaceAll(manifests, "namespace: mail", "namespace: "+f.namespace))
	cluster.Kubectl(t, "apply", "-f", folder)
	f.tokens = f.makeTokens(t)
	f.first = start(t, folder, t.TempDir(), "--admin-tokens", f.tokens)
	f.second = start(t, folder, t.TempDir(), "--admin-tokens", f.tokens)
	f.node = newKubelet(t, "node-of-"+f.namespace)
	f.node.run(f.namespace, "one", true, f.first)
	f.node.run(f.namespace, "two", true, f.second)
	return f
}

// makeTokens makes the Secrets with the tokens, as the manager does, and returns the folder where they are mounted.
func (f *field) makeTokens(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, right := range access.Rights() {
		token := access.NewToken()
		write(t, folder, right.String(), token)
		secret := &corev1.Secret{Data: map[string][]byte{children.AdminTokenKey: []byte(token)}}
		secret.Namespace, secret.Name = f.namespace, children.AdminSecretName(children.Name, right)
		if err := cluster.Client(t).Create(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// bind gives a user a ClusterRole in a namespace, as an administrator does.
func bind(t *testing.T, namespace, user, role string) {
	t.Helper()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
	if err := cluster.Client(t).Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
}

// TestWhoMayDoWhat gives each of three users one of the roles that Mailvane brings, and has them do everything.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	cluster.Kubectl(t, "apply", "--server-side", "-f", filepath.Join("..", "..", "config", "rbac", "access_roles.yaml"))
	f := newField(t)
	f.sink.decide(http.StatusUnprocessableEntity) // and quotes what it got
	administrator := newUser(t, "administrator-"+f.namespace)
	bind(t, f.namespace, "administrator-"+f.namespace, "cluster-admin")
	administrator.must("send", "--endpoint", "ee", "--event", "messageSent", "-n", f.namespace)
	administrator.must("send", "--endpoint", "ee", "--event", "messageSent", "-n", f.namespace)
	var references []string
	eventually(t, "both are dead letters", func() bool {
		references = regexp.MustCompile(`one/\d+`).FindAllString(administrator.must("deadletter", "list", "-n", f.namespace), -1)
		return len(references) == 2
	})
	users := map[access.Right]*user{}
	for _, right := range access.Rights() {
		name := right.String() + "-" + f.namespace
		users[right] = newUser(t, name)
		bind(t, f.namespace, name, "mailvane-"+right.String())
	}
	for _, right := range access.Rights() {
		u := users[right]
		u.must("endpoints", "-n", f.namespace)
		u.must("sinks", "-n", f.namespace)
		shown := u.must("deadletter", "show", references[0], "-n", f.namespace)
		inClear := strings.Contains(shown, `"specversion"`) && strings.Contains(shown, "no such list")
		masked := strings.Contains(shown, "mailvane-privacy") && !strings.Contains(shown, "no such list") && !strings.Contains(shown, "@")
		if inClear != (right == access.Privacy) || masked == inClear {
			t.Errorf("what the %s is shown:\n%s", right, shown)
		}
	}
	_, stderr, status := users[access.Viewer].mailvane("deadletter", "drop", references[0], "-n", f.namespace)
	if status == 0 || !strings.Contains(stderr, "mailvane-receiver-admin-operator") || !strings.Contains(stderr, "ClusterRole mailvane-operator") {
		t.Errorf("a viewer drops: %d %s", status, stderr)
	}
	for _, right := range []access.Right{access.Operator, access.Privacy} {
		if out := users[right].must("deadletter", "drop", references[right-access.Operator], "-n", f.namespace); out != "1 dropped, 0 failed\n" {
			t.Errorf("%s drops: %s", right, out)
		}
	}
	if _, stderr, status := newUser(t, "nobody-"+f.namespace).mailvane("sinks", "-n", f.namespace); status == 0 || !strings.Contains(stderr, "forbidden") {
		t.Errorf("nobody: %d %s", status, stderr)
	}
}

// TestACluster does everything that the program does in a cluster, with the rights that its page asks for.
func TestACluster(t *testing.T) {
	t.Parallel()
	f := newField(t)
	u := newUser(t, "operator-"+f.namespace)
	grant(t, f.namespace, "operator-"+f.namespace, documentedRole(t))
	in := func(arguments ...string) []string { return append(arguments, "-n", f.namespace) }

	// Through a port-forward to the first pod that serves it, and by address to the second.
	sent := u.must(in("send", "--endpoint", "ee", "--event", "messageSent", "--count", "2")...)
	sent += u.must(in("send", "--endpoint", "ee", "--event", "messageSent", "--url", f.second.url)...)
	if strings.Count(sent, `200 {"accepted":1,"duplicates":0}`) != 3 {
		t.Fatalf("sent:\n%s", sent)
	}
	f.listed(t, u)
	f.described(t, u)
	f.sink.decide(http.StatusUnprocessableEntity)

	var listed string
	eventually(t, "what the sink refused is a dead letter of the pod that took it", func() bool {
		listed = u.must(in("deadletter", "list")...)
		return strings.Count(listed, "one/") == 2 && strings.Count(listed, "two/") == 1
	})
	reference := regexp.MustCompile(`two/\d+`).FindString(listed)
	if shown := u.must(in("deadletter", "show", reference)...); !strings.Contains(shown, reference) || !strings.Contains(shown, `"specversion": "1.0"`) {
		t.Errorf("show:\n%s", shown)
	}
	f.sink.decide(http.StatusOK)
	if out := u.must(in("deadletter", "retry", reference)...); out != "1 retried, 0 failed\n" {
		t.Errorf("retry: %s", out)
	}
	eventually(t, "the retried one arrives", func() bool { return f.sink.distinct() == 1 })
	if out := u.must(in("deadletter", "drop", "--all")...); out != "2 dropped, 0 failed\n" {
		t.Errorf("drop: %s", out)
	}
	if out := u.must(in("deadletter", "list", "-o", "json")...); out != "[]\n" {
		t.Errorf("left: %s", out)
	}
	if _, stderr, status := u.mailvane(in("deadletter", "show", reference)...); status != 1 || !strings.Contains(stderr, "there is no dead letter") {
		t.Errorf("show one that is gone: %d %s", status, stderr)
	}
}

// listed checks the lists of endpoints and sinks.
func (f *field) listed(t *testing.T, u *user) {
	t.Helper()
	key := client.ObjectKey{Namespace: f.namespace, Name: "ee"}
	var object v1alpha1.WebhookEndpoint
	if err := cluster.Client(t).Get(t.Context(), key, &object); err != nil {
		t.Fatal(err)
	}
	object.Status.URL = "http://receiver.example.com/hooks/ee"
	object.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReconciled, LastTransitionTime: metav1.Now(),
	}}
	if err := cluster.Client(t).Status().Update(t.Context(), &object); err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(f.namespace + `/ee +EmailEngine +True +Reconciled +- +2 +3 +0 +0 +0 +http://receiver.example.com/hooks/ee`)
	if out := u.must("endpoints", "-n", f.namespace); !row.MatchString(out) {
		t.Errorf("endpoints:\n%s", out)
	}
	row = regexp.MustCompile(f.namespace + `/crm +HTTP +Unknown +2 +failing +3 +\d+s +.*503`)
	eventually(t, "the sink is shown to fail, with what waits in both pods", func() bool { return row.MatchString(u.must("sinks", "-n", f.namespace)) })
}

// described checks what scripts read.
func (f *field) described(t *testing.T, u *user) {
	t.Helper()
	var endpoints []struct {
		Name, Provider, URL, Ready, Reason string
		Receivers, Accepted                int
	}
	if err := json.Unmarshal([]byte(u.must("endpoints", "-n", f.namespace, "-o", "json")), &endpoints); err != nil {
		t.Fatal(err)
	}
	if len(endpoints) != 1 || endpoints[0].Name != f.namespace+"/ee" || endpoints[0].Ready != "True" || endpoints[0].Accepted != 3 || endpoints[0].Receivers != 2 {
		t.Errorf("endpoints: %+v", endpoints)
	}
	var sinks []struct {
		Name, Ready, LastError string
		Healthy                bool
		Receivers              int
	}
	if err := json.Unmarshal([]byte(u.must("sinks", "-n", f.namespace, "-o", "json")), &sinks); err != nil {
		t.Fatal(err)
	}
	if len(sinks) != 1 || sinks[0].Healthy || sinks[0].Receivers != 2 || !strings.Contains(sinks[0].LastError, "503") {
		t.Errorf("sinks: %+v", sinks)
	}
}

func TestPartOfAClusterThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.node.run(f.namespace, "starting", false, nil)
	f.node.run(f.namespace, "stuck", true, nil)
	f.node.runOwned(f.namespace, "impostor", true, f.first) // it has the labels, and no workload has made it
	administrator := newUser(t, "administrator-"+f.namespace)
	everything := []rbacv1.PolicyRule{{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}}}
	grant(t, f.namespace, "administrator-"+f.namespace, everything)
	reader := newUser(t, "reader-"+f.namespace)
	grant(t, f.namespace, "reader-"+f.namespace, []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.Group}, Resources: []string{"webhookendpoints", "eventsinks"}, Verbs: []string{"get", "list"}},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}, ResourceNames: []string{"mailvane-receiver-admin-viewer"}},
	})
	blind := newUser(t, "blind-"+f.namespace)
	grant(t, f.namespace, "blind-"+f.namespace, []rbacv1.PolicyRule{
		{APIGroups: []string{v1alpha1.Group}, Resources: []string{"webhookendpoints", "eventsinks"}, Verbs: []string{"get", "list"}},
		{APIGroups: []string{""}, Resources: []string{"pods", "pods/portforward"}, Verbs: []string{"list", "get", "create"}},
	})
	stranger := newUser(t, "stranger-"+f.namespace)

	for name, c := range map[string]struct {
		who            *user
		arguments      []string
		stdout, stderr []string
	}{
		"a pod that is not ready is named, one that does not answer as well, and the rest is shown": {
			administrator,
			[]string{"endpoints"},
			[]string{f.namespace + "/ee", "Unknown"},
			[]string{"not asked, because they are not ready: " + f.namespace + "/starting", f.namespace + "/stuck", "nothing listens on stuck:9090"},
		},
		"so with dead letters": {administrator, []string{"deadletter", "list"}, []string{"REASON"}, []string{"nothing listens on stuck:9090"}},
		"without the right to port-forward the objects are shown": {
			reader, []string{"endpoints"}, []string{f.namespace + "/ee"}, []string{"pods/portforward", f.namespace + "/one"},
		},
		"and the sinks": {reader, []string{"sinks"}, []string{f.namespace + "/crm"}, []string{"pods/portforward"}},
		"without a token as well": {
			blind, []string{"endpoints"}, []string{f.namespace + "/ee"}, []string{"receiver " + f.namespace + "/mailvane-receiver", "ClusterRole mailvane-viewer", "mailvane-receiver-admin-privacy"},
		},
		"send says which Secret it may not read": {
			reader, []string{"send", "--endpoint", "ee"}, nil, []string{"signs with the endpoint's own credentials", `secrets "emailengine" is forbidden`},
		},
		"no rights at all": {stranger, []string{"sinks"}, nil, []string{"cluster https://127.0.0.1:", "forbidden"}},
		"no endpoint":      {administrator, []string{"send", "--endpoint", "nobody"}, nil, []string{`"nobody" not found`}},
		"no event":         {administrator, []string{"send", "--endpoint", "ee", "--event", "nothing"}, nil, []string{`no such event "nothing"`}},
		"no pod":           {administrator, []string{"deadletter", "show", "gone/1"}, nil, []string{"no receiver " + f.namespace + "/gone is ready"}},
		"a pod that has the labels alone is shown no token": {
			administrator, []string{"deadletter", "show", "impostor/1"}, nil, []string{"no receiver " + f.namespace + "/impostor is ready"},
		},
		"a number alone": {administrator, []string{"deadletter", "drop", "1"}, nil, []string{`"1" is not the ID of a dead letter here`}},
	} {
		stdout, stderr, status := c.who.mailvane(append(c.arguments, "-n", f.namespace)...)
		if status != 1 {
			t.Errorf("%s: status %d", name, status)
		}
		for _, text := range c.stdout {
			if !strings.Contains(stdout, text) {
				t.Errorf("%s: no %q in\n%s", name, text, stdout)
			}
		}
		for _, text := range c.stderr {
			if !strings.Contains(stderr, text) {
				t.Errorf("%s: no %q in\n%s", name, text, stderr)
			}
		}
	}
}

func TestKubectlPlugin(t *testing.T) {
	t.Parallel()
	f := newField(t)
	u := newUser(t, "plugin-"+f.namespace)
	grant(t, f.namespace, "plugin-"+f.namespace, documentedRole(t))
	programs, err := assets.Dir(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(folder, "kubectl-mailvane")); err != nil {
		t.Fatal(err)
	}
	kubectl := func(arguments ...string) string {
		t.Helper()
		script := append([]string{"PATH=" + folder + ":" + os.Getenv("PATH"), filepath.Join(programs, "kubectl"), "mailvane"}, arguments...)
		stdout, stderr, status := u.run("env", script...)
		if status != 0 {
			t.Fatalf("kubectl mailvane %v: %d\n%s%s", arguments, status, stdout, stderr)
		}
		return stdout
	}
	if out := kubectl("endpoints", "-n", f.namespace); !strings.Contains(out, f.namespace+"/ee") {
		t.Errorf("endpoints:\n%s", out)
	}
	if out := kubectl("deadletter", "show", "--help"); !strings.Contains(out, "kubectl mailvane deadletter show ID [flags]") {
		t.Errorf("help:\n%s", out)
	}
	if out, _, _ := u.mailvane("deadletter", "show", "--help"); !strings.Contains(out, "\n  mailvane deadletter show ID [flags]") {
		t.Errorf("help of the program under its own name:\n%s", out)
	}
}

func TestAllNamespaces(t *testing.T) { //nolint:paralleltest // it sees the pods of the others
	f := newField(t)
	f.sink.decide(http.StatusUnprocessableEntity)
	administrator := newUser(t, "everywhere")
	role := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "everywhere"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "everywhere"}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
	}
	if err := cluster.Client(t).Create(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	administrator.must("send", "--endpoint", f.namespace+"/ee", "--event", "trackOpen")
	reference := regexp.MustCompile(f.namespace + `/one/\d+`)
	var found string
	eventually(t, "the dead letter is listed with its namespace", func() bool {
		found = reference.FindString(administrator.must("deadletter", "list", "-A"))
		return found != ""
	})
	if out := administrator.must("deadletter", "drop", "-A", found); out != "1 dropped, 0 failed\n" {
		t.Error(out)
	}
	if out := administrator.must("sinks", "-A"); !strings.Contains(out, f.namespace+"/crm") {
		t.Errorf("sinks:\n%s", out)
	}
}

func TestWhomToAsk(t *testing.T) {
	t.Parallel()
	nobody := &user{t: t, kubeconfig: filepath.Join(t.TempDir(), "none")}
	for name, c := range map[string]struct {
		arguments []string
		want      string
	}{
		"no cluster is configured":          {[]string{"sinks"}, `or ask one receiver: --admin 127.0.0.1:9090 is that of "run"`},
		"no cluster to send to":             {[]string{"send", "--endpoint", "ee"}, "or give -f with a folder of manifests"},
		"a kubeconfig that does not exist":  {[]string{"sinks", "--kubeconfig", nobody.kubeconfig}, nobody.kubeconfig},
		"both":                              {[]string{"endpoints", "--admin", "127.0.0.1:9", "-n", "mail"}, "[admin namespace]"},
		"both to send":                      {[]string{"send", "-f", ".", "--context", "x", "--endpoint", "ee"}, "[context filename]"},
		"an address that nobody listens on": {[]string{"endpoints", "--admin", "127.0.0.1:1"}, "is a receiver running with its admin API there?"},
	} {
		if _, stderr, status := nobody.mailvane(c.arguments...); status != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %d %s", name, status, stderr)
		}
	}
}
