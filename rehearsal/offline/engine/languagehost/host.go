package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// languageHost answers the engine's calls. Those it does not have answer with a sentence (explainUnimplemented).
type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	alive    context.Context    // ends with the host
	stop     context.CancelFunc // ends the host
	programs context.Context    // ends with the host, or when the engine cancels what is running
	cancel   context.CancelFunc
	executor string
	tracing  string
	engine   string // address
}

func newHost(alive context.Context, stop context.CancelFunc, executor, tracing string) *languageHost {
	programs, cancel := context.WithCancel(alive)
	return &languageHost{
		alive: alive, stop: stop, programs: programs, cancel: cancel, executor: executor, tracing: tracing,
	}
}

// follow remembers the engine and ends the host when the engine no longer answers.
func (host *languageHost) follow(engine string) error {
	host.engine = engine
	if err := rpcutil.Healthcheck(host.alive, engine, enginePulse, host.stop); err != nil {
		return fmt.Errorf("cannot watch the engine at %s: %w", engine, err)
	}
	return nil
}

func (host *languageHost) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	return &pulumirpc.LanguageHandshakeResponse{}, host.follow(request.GetEngineAddress())
}

func (host *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version.Version}, nil
}

func (host *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	host.cancel()
	return &emptypb.Empty{}, nil
}

func (host *languageHost) About(
	ctx context.Context, request *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	_, python, err := pythonOf(request.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	// Not python.About: it starts pip as well, and the engine waits for this before every preview.
	command, err := python.Command(ctx, "-c", "import sys; print(sys.executable, sys.version.split()[0], sep='\\n')")
	if err != nil {
		return nil, err
	}
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s does not run: %w", command.Path, err)
	}
	lines := strings.Split(string(output), "\n")
	return &pulumirpc.AboutResponse{Executable: lines[0], Version: lines[1]}, nil
}

func (host *languageHost) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	_, python, err := pythonOf(request.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	packages, err := python.ListPackages(ctx, request.GetTransitiveDependencies())
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages of this program: %w", err)
	}
	answer := &pulumirpc.GetProgramDependenciesResponse{}
	for _, one := range packages {
		answer.Dependencies = append(answer.Dependencies,
			&pulumirpc.DependencyInfo{Name: one.Name, Version: one.Version})
	}
	return answer, nil
}

func (host *languageHost) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest, stream pulumirpc.LanguageRuntime_InstallDependenciesServer,
) error {
	_, python, err := pythonOf(request.GetInfo(), request.GetIsPlugin())
	if err != nil {
		return err
	}
	closer, stdout, stderr, err := rpcutil.MakeInstallDependenciesStreams(stream, request.GetIsTerminal())
	if err != nil {
		return err
	}
	defer closer.Close()
	err = python.InstallDependencies(stream.Context(), request.GetInfo().GetProgramDirectory(),
		request.GetUseLanguageVersionTools(), true, stdout, stderr)
	if err != nil {
		return fmt.Errorf("cannot install what %s requires: %w", request.GetInfo().GetProgramDirectory(), err)
	}
	return closer.Close()
}

// pythonOf finds the interpreter that the `runtime` section of a Pulumi.yaml or PulumiPolicy.yaml asks for.
func pythonOf(info *pulumirpc.ProgramInfo, plugin bool) (toolchain.PythonOptions, toolchain.Toolchain, error) {
	options := toolchain.PythonOptions{Root: info.GetRootDirectory(), ProgramDir: info.GetProgramDirectory()}
	for key, value := range info.GetOptions().AsMap() {
		text, isText := value.(string)
		switch {
		case !isText:
			return options, nil, fmt.Errorf("runtime.options.%s must be a text, not %v", key, value)
		case key == "virtualenv":
			options.Virtualenv = text
		case key == "toolchain" && text == "pip":
			options.Toolchain = toolchain.Pip
		case key == "toolchain" && text == "poetry":
			options.Toolchain = toolchain.Poetry
		case key == "toolchain" && text == "uv":
			options.Toolchain = toolchain.Uv
		case key == "toolchain":
			return options, nil, fmt.Errorf("runtime.options.toolchain is %q: use pip, poetry or uv", text)
		case key == "typechecker":
			return options, nil, fmt.Errorf("runtime.options.typechecker needs the official pulumi release: " +
				"remove it from Pulumi.yaml and run the type checker by itself")
		}
	}
	if plugin && options.Virtualenv == "" && options.Toolchain <= toolchain.Pip {
		options.Virtualenv = "venv" // as the official host: a plugin never runs with whatever python is around
	}
	python, err := toolchain.ResolveToolchain(options)
	return options, python, err
}

// explainUnimplemented turns gRPC's "method X not implemented" into what a person can do about it.
func explainUnimplemented(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	answer, err := handler(ctx, request)
	if status.Code(err) == codes.Unimplemented {
		call := info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:]
		return nil, status.Errorf(codes.Unimplemented, "%s is not offered by %s, which was built on this machine: "+
			"use the official pulumi release for it", call, os.Args[0])
	}
	return answer, err
}
