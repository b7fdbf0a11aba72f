package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// pause is the time between two looks at what is not ready yet.
const pause = 20 * time.Millisecond

// client returns a client with all rights.
func (p *plane) client() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", p.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

// waitForAPI waits until kube-apiserver says that it is ready.
func waitForAPI(ctx context.Context, client kubernetes.Interface) error {
	return until(ctx, func() bool {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil
	})
}

// waitForNode waits until pods can be scheduled and namespaces are furnished: the slowest of what follows the API.
func waitForNode(ctx context.Context, client kubernetes.Interface) error {
	return until(ctx, func() bool {
		nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil || len(nodes.Items) == 0 || len(nodes.Items[0].Spec.Taints) > 0 || !isReady(nodes.Items[0]) {
			return false
		}
		for _, namespace := range []string{"default", "tenant"} {
			_, account := client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
			_, root := client.CoreV1().ConfigMaps(namespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
			if account != nil || root != nil {
				return false
			}
		}
		return true
	})
}

func isReady(node corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func until(ctx context.Context, holds func() bool) error {
	return wait.PollUntilContextCancel(ctx, pause, true, func(context.Context) (bool, error) { return holds(), nil })
}
