using Google.Protobuf;
using Graphene.Cli;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Cli;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Packages;

/// <summary>What the compiler writes for one item of a project.</summary>
internal sealed class ModelBuildTests
{
    [Test]
    public void FilesOfWeightsAreInputsOfTheBuild()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.Combine("weights.bin"), new byte[24]);
        ModelProto model = XToY(Node("Add", ["x", "w"], ["y"]));
        TensorProto weights = Floats("w", [2, 3], 0, 0, 0, 0, 0, 0);
        weights.RawData = ByteString.Empty;
        weights.DataLocation = TensorProto.Types.DataLocation.External;
        weights.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "weights.bin" });
        model.Graph.Initializer.Add(weights);
        File.WriteAllBytes(folder.Combine("model.onnx"), model.ToByteArray());

        CliRun run = Build(folder, "model.onnx", folder.Combine("a"));

        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Output);
        Assert.That(
            File.ReadAllLines(folder.Combine("a.inputs")),
            Is.EqualTo(new[] { folder.Combine("model.onnx"), folder.Combine("weights.bin") }));
    }

    [Test]
    public void TwoBuildsGiveTheSameBytes()
    {
        using var folder = new TemporaryFolder();
        File.Copy(RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx"), folder.Combine("digits.onnx"));
        Directory.CreateDirectory(folder.Combine("elsewhere"));
        File.Copy(folder.Combine("digits.onnx"), folder.Combine("elsewhere/digits.onnx"));

        Build(folder, "digits.onnx", folder.Combine("digits.graphene"));
        Build(folder, "elsewhere/digits.onnx", folder.Combine("elsewhere/digits.graphene"));

        foreach (string ending in new[] { "", ".signature" })
        {
            Assert.That(
                File.ReadAllBytes(folder.Combine("digits.graphene" + ending)),
                Is.EqualTo(File.ReadAllBytes(folder.Combine("elsewhere/digits.graphene" + ending))));
        }
    }

    private static CliRun Build(TemporaryFolder folder, string model, string bundle)
    {
        string request = bundle + ".request";
        File.WriteAllLines(
            request,
            [
                $"item={model}", $"project={folder.Combine("App.csproj")}", $"model={folder.Combine(model)}", $"bundle={bundle}",
                $"signature={bundle}.signature", $"inputs={bundle}.inputs", "target=", "namespace=App", "class=", "access=", "dims=",
                "compiler=what changes with it",
            ]);
        return CliRun.Of("build-model", request);
    }
}
