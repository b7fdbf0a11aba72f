package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"
)

// startTime is how long a control plane may take to come up; it takes two to three seconds on two idle cores.
const startTime = 2 * time.Minute

// launched is the most programs that one control plane runs.
const launched = 5

// plane is one control plane, and, in JSON, what a client must know of it.
type plane struct {
	// Address is the URL of kube-apiserver.
	Address string `json:"address"`
	// Kubeconfig is a path; its contexts are the users admin, reader, tenant and nobody.
	Kubeconfig string `json:"kubeconfig"`
	// Audit is the path of the log of requests, one JSON object a line.
	Audit string `json:"audit"`
	// Etcd is the URL of etcd, for tests that compact it.
	Etcd string `json:"etcd"`

	directory string
	children  []*os.Process
	// running counts the children that have not been waited for.
	running sync.WaitGroup
	// ended tells why a program ended, which none should.
	ended chan error
}

// runUp starts a control plane, prints what a client needs as one line of JSON, and runs until its standard input
// ends or a signal comes. A parent that dies closes that input, however it dies.
func runUp() int {
	flags := flag.NewFlagSet("up", flag.ExitOnError)
	nodes := flags.Bool("nodes", true, "run controllers, scheduler and a node; without them, only the API answers")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	if err := run(ctx, *nodes); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, nodes bool) error {
	directory, err := os.MkdirTemp("", "terrane-control-plane-")
	if err != nil {
		return err
	}
	p := &plane{directory: directory, ended: make(chan error, launched)}
	// The directory goes last: what still runs writes into it.
	defer os.RemoveAll(directory)
	defer p.kill()
	starting, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := p.unlessOneEnds(func() error { return p.start(starting, nodes) }); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(p); err != nil {
		return err
	}
	return p.unlessOneEnds(func() error {
		<-ctx.Done()
		return nil
	})
}

// unlessOneEnds waits for work, but not longer than all programs live.
func (p *plane) unlessOneEnds(work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case err := <-p.ended:
		return err
	}
}

// start brings everything up, in the order in which one needs the other.
func (p *plane) start(ctx context.Context, nodes bool) error {
	ports, err := freePorts(6)
	if err != nil {
		return err
	}
	p.Address, p.Etcd = "https://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	p.Kubeconfig, p.Audit = p.path("kubeconfig"), p.path("audit.log")
	if err := p.writeFiles(); err != nil {
		return err
	}
	if err := p.launch("etcd",
		"--data-dir", p.path("etcd"), "--unsafe-no-fsync", "--log-level", "warn",
		"--listen-client-urls", p.Etcd, "--advertise-client-urls", p.Etcd,
		"--listen-peer-urls", "http://127.0.0.1:"+ports[2]); err != nil {
		return err
	}
	if err := p.launch("kube-apiserver", p.apiserverFlags(ports[0])...); err != nil {
		return err
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	if err := waitForAPI(ctx, client); err != nil {
		return err
	}
	if nodes {
		if err := p.startNodes(ports[3], ports[4]); err != nil {
			return err
		}
	}
	if err := p.kubectl(ctx, "create", "--validate=ignore", "-f", p.path("objects.yaml")); err != nil {
		return err
	}
	if nodes {
		return waitForNode(ctx, client)
	}
	return nil
}

func (p *plane) apiserverFlags(port string) []string {
	return []string{
		"--etcd-servers", p.Etcd,
		"--secure-port", port, "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
		"--tls-cert-file", p.path("server.crt"), "--tls-private-key-file", p.path("server.key"),
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", p.path("server.key"),
		"--service-account-signing-key-file", p.path("server.key"),
		"--service-cluster-ip-range", "10.96.0.0/16",
		"--endpoint-reconciler-type", "none",
		"--authorization-mode", "RBAC", "--token-auth-file", p.path("tokens.csv"),
		"--allow-privileged",
		"--audit-policy-file", p.path("audit-policy.yaml"), "--audit-log-path", p.Audit,
	}
}

// startNodes starts what turns a Deployment into pods that run.
func (p *plane) startNodes(managerPort, schedulerPort string) error {
	quick := []string{"--kubeconfig", p.Kubeconfig, "--leader-elect=false", "--bind-address", "127.0.0.1",
		"--kube-api-qps", "1000", "--kube-api-burst", "2000"}
	manager := append([]string{"--secure-port", managerPort, "--cert-dir", p.path("manager"),
		"--service-account-private-key-file", p.path("server.key"), "--root-ca-file", p.path("server.crt")}, quick...)
	if err := p.launch("kube-controller-manager", manager...); err != nil {
		return err
	}
	scheduler := append([]string{"--secure-port", schedulerPort, "--cert-dir", p.path("scheduler")}, quick...)
	if err := p.launch("kube-scheduler", scheduler...); err != nil {
		return err
	}
	// Without a lease that is renewed, the node counts as lost after 50 seconds, and its pods with it.
	return p.launch("kwok", "--kubeconfig", p.Kubeconfig, "--config", p.path("stages.yaml"), "--manage-all-nodes",
		"--node-lease-duration-seconds", "40")
}

func (p *plane) path(name string) string { return filepath.Join(p.directory, name) }
