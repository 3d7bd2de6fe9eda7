package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// RunPlugin runs a policy pack (kind "analyzer") or a provider written in Python until it ends or the engine drops it.
func (host *languageHost) RunPlugin(
	request *pulumirpc.RunPluginRequest, stream pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	if request.GetAttachDebugger() {
		return errors.New("--attach-debugger needs the official pulumi release")
	}
	// Not host.programs: when the engine cancels, plugins finish what they began.
	ctx, release := until(stream.Context(), host.alive)
	defer release()
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(stream, false)
	if err != nil {
		return err
	}
	defer closer.Close()
	if request.GetKind() == string(apitype.AnalyzerPlugin) {
		err = runPolicyPack(ctx, request, stdout, stderr)
	} else {
		err = runProvider(ctx, request, stdout, stderr)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return stream.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(exit.ExitCode())},
		})
	}
	if err != nil {
		return fmt.Errorf("%s did not run: %w", request.GetInfo().GetProgramDirectory(), err)
	}
	return closer.Close()
}

// runPolicyPack gives a pack what its library reads from the environment when it starts: the stack and its
// configuration. The engine tells that to a running pack only, so the SDK's proxy answers until the pack is there.
func runPolicyPack(ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer) error {
	_, python, err := pythonOf(request.GetInfo(), false)
	if err != nil {
		return err
	}
	folder := request.GetInfo().GetProgramDirectory()
	arguments := append([]string{"-u", "-m", "pulumi.policy"}, request.GetArgs()...)
	command, err := python.Command(ctx, append(arguments, folder)...)
	if err != nil {
		return err
	}
	proxy, output, err := sdk.NewPolicyProxy(ctx, stdout)
	if err != nil {
		return err
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return err
	}
	if command.Env, err = policyEnvironment(command.Environ(), stack); err != nil {
		return err
	}
	command.Env = append(command.Env, request.GetEnv()...)
	command.Dir = folder // as ever for Python packs: they open files by relative names
	command.Stdout, command.Stderr = output, stderr
	endsPromptly(command)
	if err := command.Start(); err != nil {
		return err
	}
	return proxy.Attach(ctx, command)
}

func policyEnvironment(environment []string, stack *pulumirpc.AnalyzerStackConfigureRequest) ([]string, error) {
	if stack == nil {
		return environment, nil
	}
	for _, variable := range [][2]string{
		{"PULUMI_ORGANIZATION", stack.GetOrganization()},
		{"PULUMI_PROJECT", stack.GetProject()},
		{"PULUMI_STACK", stack.GetStack()},
		{"PULUMI_DRY_RUN", strconv.FormatBool(stack.GetDryRun())},
	} {
		if variable[1] != "" {
			environment = append(environment, variable[0]+"="+variable[1])
		}
	}
	return appendConfig(environment, stack.GetConfig())
}

// runProvider runs the folder's __main__.py, or the package that its pyproject.toml describes.
func runProvider(ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer) error {
	options, python, err := pythonOf(request.GetInfo(), true)
	if err != nil {
		return err
	}
	arguments := append([]string{request.GetInfo().GetProgramDirectory()}, request.GetArgs()...)
	if _, missing := os.Stat(filepath.Join(options.Root, "__main__.py")); missing != nil {
		project, err := toolchain.LoadPyproject(options.Root)
		if err != nil || project.Project == nil {
			return fmt.Errorf("%s has neither a __main__.py nor a pyproject.toml that names a project", options.Root)
		}
		arguments = append([]string{"-m", "pulumi.run.plugin", project.Project.Name}, request.GetArgs()...)
	}
	command, err := python.Command(ctx, arguments...)
	if err != nil {
		return err
	}
	command.Env = append(command.Environ(), request.GetEnv()...)
	command.Dir = request.GetPwd()
	command.Stdout, command.Stderr = stdout, stderr
	endsPromptly(command)
	return command.Run()
}
