package children

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

const (
	// journalPercent is how much of a volume the journal takes: the rest is what the file system keeps for itself, up to a tenth,
	// and what the journal needs to remove what is delivered.
	journalPercent = 85
	// jetStreamFolder is where the Secrets for the NATS cluster are mounted, each in a folder of its own.
	jetStreamFolder = "/etc/mailvane-jetstream"
)

// mount is a Secret of the user that pods mount, so that a change of it reaches them without a copy and without a restart.
type mount struct {
	name, secret string
	// files holds, by key, the file that the key becomes and the flag that takes its path.
	files map[string]file
}

type file struct{ name, flag string }

func (m *mount) keys() []string { return slices.Sorted(maps.Keys(m.files)) }

func (m *mount) folder() string { return jetStreamFolder + "/" + m.name }

// mounts returns the Secrets that the journal needs.
func (r *Receiver) mounts() []mount {
	j := r.Spec.Journal.JetStream
	if j == nil {
		return nil
	}
	var all []mount
	if ref := j.CredentialsRef; ref != nil {
		all = append(all, mount{"credentials", ref.Name, map[string]file{ref.Key: {"nats.creds", "--jetstream-credentials"}}})
	}
	if ref := j.TLS.CARef; ref != nil {
		all = append(all, mount{"ca", ref.Name, map[string]file{ref.Key: {"ca.crt", "--jetstream-ca"}}})
	}
	if ref := j.TLS.SecretRef; ref != nil {
		all = append(all, mount{"certificate", ref.Name, map[string]file{
			"tls.crt": {"tls.crt", "--jetstream-certificate"}, "tls.key": {"tls.key", "--jetstream-key"},
		}})
	}
	return all
}

// journalArgs returns the flags of the journal. All of them are in the pod template, so that their change replaces the pods.
func (r *Receiver) journalArgs() []string {
	if r.isJetStream() {
		return append(r.jetStreamArgs(), r.historyArgs()...)
	}
	args := append([]string{"--data=" + journalFolder}, r.historyArgs()...)
	if e := r.Spec.Journal.Embedded; e != nil && !e.Size.IsZero() {
		args = append(args, "--journal-max-bytes="+strconv.FormatInt(e.Size.Value()/100*journalPercent, 10))
	}
	if r.HasClaims() { // what is on a claim stays, so it is not given away
		return args
	}
	return append(args,
		"--peers="+PeersName(r.Name)+"."+r.Namespace+".svc:"+strconv.Itoa(AdminPort),
		"--termination-log=/dev/termination-log")
}

// historyArgs returns the flags of the history; none = those that receivers have by themselves.
func (r *Receiver) historyArgs() []string {
	h := &r.Spec.History
	switch h.Type {
	case v1alpha1.HistoryNone:
		return []string{"--history=" + string(h.Type)}
	case v1alpha1.HistoryEmbedded:
		args := []string{"--history=" + string(h.Type)}
		if r.isJetStream() {
			args = append(args, "--data="+journalFolder)
		}
		if h.MaxAge != "" {
			args = append(args, "--history-max-age="+string(h.MaxAge))
		}
		if !h.MaxBytes.IsZero() {
			args = append(args, "--history-max-bytes="+strconv.FormatInt(h.MaxBytes.Value(), 10))
		}
		return args
	}
	return nil
}

func (r *Receiver) jetStreamArgs() []string {
	j := r.Spec.Journal.JetStream
	urls := make([]string, len(j.URLs))
	for i, u := range j.URLs {
		urls[i] = string(u)
	}
	args := []string{
		"--journal=" + string(v1alpha1.JournalJetStream), "--jetstream-urls=" + strings.Join(urls, ","),
		"--jetstream-stream=" + r.stream(), "--jetstream-replicas=" + strconv.Itoa(int(j.Replicas)),
	}
	for _, m := range r.mounts() {
		for _, key := range m.keys() {
			args = append(args, m.files[key].flag+"="+m.folder()+"/"+m.files[key].name)
		}
	}
	return args
}

// stream returns the beginning of the streams' names. An underscore is in no name of Kubernetes, so no two receivers share one.
func (r *Receiver) stream() string {
	if s := r.Spec.Journal.JetStream.Stream; s != "" {
		return s
	}
	return r.Namespace + "_" + r.Name
}

// journalVolumes returns the volumes of the journal that are part of the pod, and where they are mounted. A claim is not.
func (r *Receiver) journalVolumes() []*corev1ac.VolumeApplyConfiguration {
	var volumes []*corev1ac.VolumeApplyConfiguration
	if r.hasOwnDisk() {
		// No size limit: the journal keeps its own, with 503, where the kubelet would evict the pod with what it holds.
		volumes = append(volumes, corev1ac.Volume().WithName(journalVolume).WithEmptyDir(corev1ac.EmptyDirVolumeSource()))
	}
	for _, m := range r.mounts() {
		source := corev1ac.SecretVolumeSource().WithSecretName(m.secret).WithDefaultMode(readableByGroup)
		for _, key := range m.keys() {
			source = source.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(m.files[key].name))
		}
		volumes = append(volumes, corev1ac.Volume().WithName(m.volume()).WithSecret(source))
	}
	return volumes
}

func (m *mount) volume() string { return "jetstream-" + m.name }

func (r *Receiver) journalMounts() []*corev1ac.VolumeMountApplyConfiguration {
	var mounts []*corev1ac.VolumeMountApplyConfiguration
	if r.isEmbedded() || r.hasOwnDisk() {
		mounts = append(mounts, corev1ac.VolumeMount().WithName(journalVolume).WithMountPath(journalFolder))
	}
	for _, m := range r.mounts() {
		mounts = append(mounts, corev1ac.VolumeMount().WithName(m.volume()).WithMountPath(m.folder()).WithReadOnly(true))
	}
	return mounts
}
