package main

import (
	"crypto/rand"
	"embed"
	"fmt"
	"net"
	"os"
	"path"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	nodestage "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	heartbeatstage "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podstage "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

//go:embed cluster
var cluster embed.FS

// users are all that have a context; cluster/objects.yaml gives those outside the group of masters their rights.
var users = []struct{ name, group, namespace string }{
	{name: "admin", group: "system:masters"},
	{name: "reader"},
	{name: "tenant", namespace: "tenant"},
	{name: "nobody"},
}

// writeFiles writes what the programs and their clients read.
func (p *plane) writeFiles() error {
	certificate, key, err := cert.GenerateSelfSignedCertKey("localhost", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return err
	}
	contents := map[string][]byte{"server.crt": certificate, "server.key": key}
	for _, name := range []string{"audit-policy.yaml", "objects.yaml", "stages.yaml"} {
		if contents[name], err = cluster.ReadFile(path.Join("cluster", name)); err != nil {
			return err
		}
	}
	for _, stage := range []string{nodestage.DefaultNodeInit, heartbeatstage.DefaultNodeHeartbeatWithLease,
		podstage.DefaultPodReady, podstage.DefaultPodComplete, podstage.DefaultPodDelete} {
		contents["stages.yaml"] = append(contents["stages.yaml"], "\n---\n"+stage...)
	}
	if contents["kubeconfig"], contents["tokens.csv"], err = p.access(certificate); err != nil {
		return err
	}
	for name, content := range contents {
		if err := os.WriteFile(p.path(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// access returns a kubeconfig with a context for each user, and the file by which kube-apiserver knows their tokens.
func (p *plane) access(certificate []byte) (kubeconfig, tokens []byte, err error) {
	config := clientcmdapi.NewConfig()
	config.Clusters["control-plane"] =
		&clientcmdapi.Cluster{Server: p.Address, CertificateAuthorityData: certificate}
	config.CurrentContext = users[0].name
	for _, user := range users {
		token := rand.Text()
		config.AuthInfos[user.name] = &clientcmdapi.AuthInfo{Token: token}
		config.Contexts[user.name] =
			&clientcmdapi.Context{Cluster: "control-plane", AuthInfo: user.name, Namespace: user.namespace}
		tokens = fmt.Appendf(tokens, "%s,%s,%s,%s\n", token, user.name, user.name, user.group)
	}
	kubeconfig, err = clientcmd.Write(*config)
	return kubeconfig, tokens, err
}
