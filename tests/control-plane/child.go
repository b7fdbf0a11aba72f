package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// launch starts one program of this binary; its output goes to a file. The kernel kills it when this process dies.
func (p *plane) launch(program string, arguments ...string) error {
	log, err := os.Create(p.path(program + ".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, append([]string{program}, arguments...)...)
	command.Stdout, command.Stderr = log, log
	command.Dir = p.directory
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	p.running.Go(func() {
		// The signal comes when the thread that started the program ends, so this one is kept.
		runtime.LockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			err = command.Wait()
			p.ended <- fmt.Errorf("%s ended (%v):\n%s", program, err, lastLines(log.Name()))
		}
	})
	if err := <-started; err != nil {
		return err
	}
	p.children = append(p.children, command.Process)
	return nil
}

// kill ends all programs at once: a kube-apiserver that has lost its etcd would wait for it.
func (p *plane) kill() {
	for _, child := range p.children {
		_ = child.Kill()
	}
	p.running.Wait()
}

// kubectl runs one command of kubectl to its end.
func (p *plane) kubectl(ctx context.Context, arguments ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	arguments = append([]string{"kubectl", "--kubeconfig", p.Kubeconfig}, arguments...)
	if output, err := exec.CommandContext(ctx, self, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("kubectl: %w\n%s", err, output)
	}
	return nil
}

// lastLines returns the end of a file, which says why a program gave up.
func lastLines(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// freePorts asks the kernel for ports of the loopback interface that nobody uses.
func freePorts(count int) ([]string, error) {
	ports := make([]string, count)
	for idx := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// Held until all are known, so that they differ.
		defer listener.Close()
		if _, ports[idx], err = net.SplitHostPort(listener.Addr().String()); err != nil {
			return nil, err
		}
	}
	return ports, nil
}
