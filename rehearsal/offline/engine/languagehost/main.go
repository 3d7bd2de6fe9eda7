// The Python language host for machines that cannot have the official one.
//
// Pulumi's own host is not published as a Go module; its building blocks (toolchains, the policy proxy, serving,
// streams) are, in the SDK. This program wires them together and adds one thing: it and whatever it started end when
// the engine that started it has ended, however it ended.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

const (
	executorName = "pulumi-language-python-exec" // the SDK's script that runs a program; it lies beside this one
	enginePulse  = time.Second                   // how often to look whether the engine is still there
	programGrace = time.Second                   // between asking a program to stop and stopping it
	hostGrace    = 2 * time.Second               // all open calls end within this once the host is to stop
)

func main() {
	tracing := flag.String("tracing", "", "a Zipkin-compatible endpoint for traces of the program")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println(version.Version)
		return
	}
	if err := run(flag.Arg(0), *tracing); err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-python: %v\n", err)
		os.Exit(1)
	}
}

func run(engine, tracing string) error {
	executor, err := findExecutor()
	if err != nil {
		return err
	}
	alive, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	host := newHost(alive, stop, executor, tracing)
	if engine != "" {
		if err := host.follow(engine); err != nil {
			return err
		}
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stopChannel(alive),
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
		Options: []grpc.ServerOption{grpc.UnaryInterceptor(explainUnimplemented)},
	})
	if err != nil {
		return fmt.Errorf("cannot serve on 127.0.0.1: %w", err)
	}
	fmt.Println(handle.Port) // the engine waits for this line
	return <-handle.Done
}

func findExecutor() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot tell where this program lies: %w", err)
	}
	executor := filepath.Join(filepath.Dir(self), executorName)
	if _, err := os.Stat(executor); err != nil {
		return "", fmt.Errorf("%s is missing: remove that folder and set the engine up again", executor)
	}
	return executor, nil
}

// stopChannel is closed when the host is to stop serving. Calls that do not end by then are cut off: nothing of this
// process may outlive the engine.
func stopChannel(alive context.Context) chan bool {
	stopping := make(chan bool)
	context.AfterFunc(alive, func() {
		close(stopping)
		time.Sleep(hostGrace)
		os.Exit(1)
	})
	return stopping
}
