using System.Diagnostics;
using Google.Protobuf;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Cli;
using Graphene.Tests.Support;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Packages;

/// <summary>What provokes each error that building a project with models can give.</summary>
/// <param name="Code">The error.</param>
/// <param name="Language">Of the source.</param>
/// <param name="Source">The part of a project, or code, that is wrong.</param>
/// <param name="Provoke">Gives the errors as the build shows them.</param>
internal sealed record BuildError(string Code, string Language, string Source, Func<IEnumerable<string>> Provoke)
{
    /// <summary>One for each error.</summary>
    public static IReadOnlyList<BuildError> All { get; } =
    [
        OfItem("GRPH001", """<GrapheneModel Include="digits.onnx" />""", _ => { }),
        OfItem(
            "GRPH002", """<GrapheneModel Include="page.onnx" />""",
            f => File.WriteAllText(f.Combine("page.onnx"), "<!doctype html><title>404</title>")),
        OfItem("GRPH003", """<GrapheneModel Include="new.onnx" />""", f => Write(f, "new.onnx", XToY(
            Node("Frobnicate", ["x"], ["a"]), Node("Frobnicate", ["a"], ["b"]), Node("Wobble", ["b"], ["y"])))),
        OfItem("GRPH004", """<GrapheneModel Include="relu.onnx" Dims="batch=many" />""", WriteRelu, ("dims", "batch=many")),
        OfItem(
            "GRPH005", """<GrapheneModel Include="relu.onnx" RuntimeIdentifier="linux-s390x" />""", WriteRelu,
            ("target", "linux-s390x")),
        OfItem("GRPH006", """<GrapheneModel Include="relu.onnx" />""", WriteRelu, ("without", "LLVM")),
        OfItem("GRPH007", """<GrapheneModel Include="relu.onnx" />""", WriteRelu, ("signature", "no-such-folder/relu.signature")),
        new("GRPH008", "xml", """
            <GrapheneModel Include="small/digits.onnx" Bundle="small.graphene" />
            <GrapheneModel Include="large/digits.onnx" Bundle="large.graphene" />
            """, () => OfGenerator("", Digits().ToString(), Digits().ToString())),
        new("GRPH009", "xml", """<PackageReference Include="Graphene.Build" Version="0.2.0" />""",
            () => OfGenerator("", "graphene-signature\t2\n")),
        OfCode("GRPH010", """
            partial class Digits
            {
                public const int Classes = ProbabilitiesLength;
                public const int ProbabilitiesLength = 26;
            }
            """),
    ];

    private static SignatureSample Digits() => new SignatureSample("digits.onnx", space: "").Function("run")
        .Input("image", "f32", "784").Output("probabilities", "f32", "10");

    private static BuildError OfCode(string code, string source) =>
        new(code, "csharp", source, () => OfGenerator(source, Digits().ToString()));

    private static IEnumerable<string> OfGenerator(string source, params string[] signatures) =>
        GeneratorRun.OfText(source, signatures).Reported.Select(d => d.ToString());

    private static BuildError OfItem(
        string code, string item, Action<TemporaryFolder> prepare, params (string Key, string Value)[] values) =>
        new(code, "xml", item, () =>
        {
            using var folder = new TemporaryFolder();
            prepare(folder);
            return Run(folder, item, values);
        });

    private static IEnumerable<string> Run(TemporaryFolder folder, string item, (string Key, string Value)[] values)
    {
        string name = item.Split('"')[1];
        string project = folder.Combine("App.csproj");
        File.WriteAllText(project, $"<Project Sdk=\"Microsoft.NET.Sdk\">\n  <ItemGroup>\n    {item}\n  </ItemGroup>\n</Project>\n");
        string request = folder.Combine("model.request");
        Dictionary<string, string> lines = new()
        {
            ["item"] = name,
            ["project"] = project,
            ["model"] = folder.Combine(name),
            ["bundle"] = folder.Combine("model.graphene"),
            ["signature"] = folder.Combine("model.graphene.signature"),
            ["inputs"] = folder.Combine("model.graphene.inputs"),
        };
        foreach ((string key, string value) in values)
        {
            lines[key] = key == "signature" ? folder.Combine(value) : value;
        }
        File.WriteAllLines(request, lines.Select(l => $"{l.Key}={l.Value}"));
        string output = lines.ContainsKey("without") ? OutputWithoutLlvm(request) : CliRun.Of("build-model", request).Output;
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => l.Replace(folder.Path + "/", "", StringComparison.Ordinal));
    }

    // A process of its own: this one has loaded LLVM long ago.
    private static string OutputWithoutLlvm(string request)
    {
        string cli = Path.Combine(AppContext.BaseDirectory, "Graphene.Cli.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", cli, "build-model", request])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["GRAPHENE_LLVM_PATH"] = "/opt/llvm/libLLVM.so";
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    private static void WriteRelu(TemporaryFolder folder) => Write(folder, "relu.onnx", XToY(Node("Relu", ["x"], ["y"])));

    private static void Write(TemporaryFolder folder, string name, ModelProto model) =>
        File.WriteAllBytes(folder.Combine(name), model.ToByteArray());
}
