package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// The executor exits with this code when it has already told the user what is wrong.
const exitAlreadyExplained = 32

// Run runs a program to its end. Its stdout and stderr are the host's own, which the engine shows as they come.
func (host *languageHost) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	if request.GetAttachDebugger() {
		return nil, errors.New("--attach-debugger needs the official pulumi release")
	}
	_, python, err := pythonOf(request.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	if err := python.ValidateVenv(ctx); err != nil {
		return nil, err
	}
	ctx, release := until(ctx, host.programs)
	defer release()
	command, err := python.Command(ctx, host.programArguments(request)...)
	if err != nil {
		return nil, err
	}
	if command.Env, err = programEnvironment(command, request); err != nil {
		return nil, err
	}
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	endsPromptly(command)
	return programResult(ctx, command.Run())
}

func (host *languageHost) programArguments(request *pulumirpc.RunRequest) []string {
	arguments := []string{host.executor}
	for _, option := range [][2]string{
		{"monitor", request.GetMonitorAddress()},
		{"engine", host.engine},
		{"project", request.GetProject()},
		{"root_directory", request.GetInfo().GetRootDirectory()},
		{"stack", request.GetStack()},
		{"pwd", request.GetPwd()},
		{"dry_run", strconv.FormatBool(request.GetDryRun())},
		{"parallel", strconv.Itoa(int(request.GetParallel()))},
		{"tracing", host.tracing},
		{"organization", request.GetOrganization()},
	} {
		if option[1] != "" {
			arguments = append(arguments, "--"+option[0], option[1])
		}
	}
	return append(append(arguments, request.GetInfo().GetEntryPoint()), request.GetArgs()...)
}

// programEnvironment carries the stack's configuration as the Python SDK expects it.
func programEnvironment(command *exec.Cmd, request *pulumirpc.RunRequest) ([]string, error) {
	secretKeys := request.GetConfigSecretKeys()
	if secretKeys == nil {
		secretKeys = []string{}
	}
	secrets, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, err
	}
	environment := append(command.Environ(), "PULUMI_CONFIG_SECRET_KEYS="+string(secrets))
	return appendConfig(environment, request.GetConfig())
}

func appendConfig(environment []string, config map[string]string) ([]string, error) {
	if config == nil {
		return environment, nil
	}
	text, err := json.Marshal(config)
	return append(environment, "PULUMI_CONFIG="+string(text)), err
}

func programResult(ctx context.Context, err error) (*pulumirpc.RunResponse, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case ctx.Err() != nil:
		return &pulumirpc.RunResponse{Error: "the program was stopped because the update was cancelled"}, nil
	case !errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program could not be started: %v", err)}, nil
	case exit.ExitCode() == exitAlreadyExplained:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case exit.ExitCode() < 0:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("program ended by %v", exit)}, nil
	}
	return &pulumirpc.RunResponse{
		Error: fmt.Sprintf("program exited with non-zero exit code: %d", exit.ExitCode()),
	}, nil
}

// until ends with the call, and with `other`.
func until(call, other context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(call)
	detach := context.AfterFunc(other, cancel)
	return ctx, func() { detach(); cancel() }
}

// endsPromptly makes a child of this host end when its context does. SIGTERM, because Python dies of it at once, while
// SIGINT makes it print a traceback and wait for calls that the engine will not answer any more. A program that has
// something to clean up handles SIGTERM, and has a second for it.
func endsPromptly(command *exec.Cmd) {
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = programGrace
}
