package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/pulumi/pulumi/sdk/v3/python/toolchain"
)

// One start of the interpreter with nothing imported; `pip list`, which the official host runs, takes ten times as long.
//
//go:embed packages.py
var listPackages string

type pluginFile struct {
	plugin.PulumiPluginJSON

	Path string `json:"path"`
}

// GetRequiredPackages tells the engine which plugins, in which versions, the installed SDKs were made for.
func (host *languageHost) GetRequiredPackages(
	ctx context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	_, python, err := pythonOf(request.GetInfo(), false)
	if err != nil {
		return nil, err
	}
	folder := request.GetInfo().GetProgramDirectory()
	if err := python.EnsureVenv(ctx, folder, false, true, os.Stdout, os.Stderr); err != nil {
		return nil, err
	}
	files, err := pluginFiles(ctx, python)
	if err != nil {
		return nil, err
	}
	answer := &pulumirpc.GetRequiredPackagesResponse{}
	for _, file := range files {
		if !file.Resource {
			continue // a library without a plugin, such as pulumi-policy
		}
		if file.Name == "" || file.Version == "" {
			return nil, fmt.Errorf("%s names no plugin or no version: install a newer release of that package", file.Path)
		}
		answer.Packages = append(answer.Packages, dependency(file))
	}
	return answer, nil
}

func pluginFiles(ctx context.Context, python toolchain.Toolchain) ([]pluginFile, error) {
	command, err := python.Command(ctx, "-c", listPackages)
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s cannot list its packages: %w", command.Path, err)
	}
	var files []pluginFile
	if err := json.Unmarshal(output, &files); err != nil {
		return nil, fmt.Errorf("%s lists its packages in a form that cannot be read: %w", command.Path, err)
	}
	return files, nil
}

func dependency(file pluginFile) *pulumirpc.PackageDependency {
	answer := &pulumirpc.PackageDependency{
		Name: file.Name, Kind: "resource", Server: file.Server,
		Version: "v" + strings.TrimPrefix(file.Version, "v"),
	}
	if given := file.Parameterization; given != nil {
		answer.Parameterization = &pulumirpc.PackageParameterization{
			Name: given.Name, Version: given.Version, Value: given.Value,
		}
	}
	return answer
}
