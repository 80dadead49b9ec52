using System.Globalization;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Interop.Onnx;
using Graphene.Runtime;
using Graphene.Tests.Cli;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Packages;

/// <summary>The runtime in a native image without just-in-time compiler: published for .NET 9, small, and the same bits.</summary>
/// <remarks>
/// .NET 9, because the feed that the tests are made with has that runtime pack and not the one of .NET 10, where
/// analyzers watch over every build (<c>IsAotCompatible</c>, warnings are errors). It restores some hundred megabytes
/// and takes minutes, so it runs when asked for.
/// </remarks>
[TestFixture]
[NonParallelizable]
internal sealed class NativeAotTests
{
    private const string Switch = "GRAPHENE_NATIVE_AOT";
    private const long MaxBytes = 5 << 20;

    // Of the fastest of five starts: the machine may be doing something else.
    private const double MostMilliseconds = 20;

    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net9.0</TargetFramework>
            <PublishAot>true</PublishAot>
            <NoWarn>$(NoWarn);CS1591</NoWarn>
          </PropertyGroup>
          <ItemGroup>
            <ProjectReference Include="../Graph.Core/Graph.Core.csproj" />
            <ProjectReference Include="../Graph.Runtime/Graph.Runtime.csproj" />
          </ItemGroup>
        </Project>
        """;

    private const string Program = """
        using System.Diagnostics;
        using System.Runtime.InteropServices;
        using Graphene.Runtime;

        if (args is ["start", var path])
        {
            long start = Stopwatch.GetTimestamp();
            using CompiledGraph mlp = CompiledGraph.Load(path);
            using Callable run = mlp.Program().MakeCallable();
            run.Run<float, float>(new float[784], new float[10]);
            Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalMilliseconds:F1}");
            return;
        }
        using CompiledGraph graph = CompiledGraph.Load(args[0]);
        using Callable callable = graph.Program().MakeCallable();
        byte[] image = new byte[784];
        for (int i = 0; i < image.Length; i++)
        {
            image[i] = (byte)(i * 7);
        }
        float[] logits = new float[10];
        callable.Run<byte, float>(image, logits);
        Console.WriteLine(Convert.ToHexString(MemoryMarshal.AsBytes<float>(logits)));
        """;

    [Test]
    public void ANativeImageComputesTheSameBits()
    {
        if (Environment.GetEnvironmentVariable(Switch) != "1")
        {
            Assert.Ignore($"{Switch}=1 publishes a native image, which takes minutes and needs the network");
        }
        string linker = HasLinker();
        using var folder = new TemporaryFolder();
        CopySources(folder);

        DotnetCommand published = DotnetCommand.Run(
            folder.Path, folder.Combine("packages"), "publish", "smoke/smoke.csproj", "-c", "Release", "-r", "linux-x64",
            "-o", "out", "-v:q", "-nologo",
            "-tl:off", "-p:ForPackages=true");

        Assert.That(published.Exit, Is.Zero, published.Output);
        Assert.That(published.Output, Does.Not.Contain("warning IL"));
        var image = new FileInfo(folder.Combine("out/smoke"));
        TestContext.Out.WriteLine($"native image, linked with {linker}: {image.Length} bytes");
        Assert.That(image.Length, Is.AtMost(MaxBytes));

        string model = RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx");
        string bundle = folder.Combine("digits.graphene");
        Assert.That(CliRun.Of("compile", model, "-o", bundle).Exit, Is.Zero);
        DotnetCommand run = DotnetCommand.Run(folder.Path, folder.Path, image.FullName, [bundle]);
        Assert.That(run.Exit, Is.Zero, run.Output);
        Assert.That(run.Output.Trim(), Is.EqualTo(AnswerOfASession(model)));

        string mlp = folder.Combine("mlp.graphene");
        WriteMlp(mlp);
        double[] starts = [.. Enumerable.Range(0, 5).Select(_ => double.Parse(
            DotnetCommand.Run(folder.Path, folder.Path, image.FullName, ["start", mlp]).Output, CultureInfo.InvariantCulture))];
        TestContext.Out.WriteLine($"load and first run of a million parameters: {string.Join(", ", starts)} ms");
        Assert.That(starts.Min(), Is.LessThan(MostMilliseconds));
    }

    // 784-960-256-10, as the bundle whose start tools/bench measures.
    private static void WriteMlp(string path)
    {
        var graph = new Graph();
        Tensor Layer(Tensor input, int from, int to) => input.MatMul(graph.Constant(
            Literal.From<float>([.. Enumerable.Range(0, from * to).Select(i => MathF.Sin(i) / 16)], from, to)));
        Tensor x = graph.Placeholder(DType.F32, ["batch", 784], "x");
        Module module = graph.ToModule([Layer(Layer(Layer(x, 784, 960).Relu(), 960, 256).Relu(), 256, 10).Softmax()]);
        AotTarget target = AotTarget.Parse("x86-64");
        Executable[] code = [.. target.Compilers().Select(c => c.Compile(module, NullLogger.Instance, CancellationToken.None))];
        new BundleContent
        {
            Name = "mlp",
            Functions = [new BundleFunction("run", [.. code.Zip(target.Variants, (e, v) => new BundleCode(v.Name, e)).Reverse()])],
        }.WriteFile(path);
        Array.ForEach(code, e => e.Dispose());
    }

    private static string HasLinker()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string? found = new[] { "clang", "gcc" }.FirstOrDefault(l => folders.Any(f => File.Exists(Path.Combine(f, l))));
        if (found is null || !OperatingSystem.IsLinux() ||
            System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64)
        {
            Assert.Ignore("native images are linked by clang or gcc, and this is tried on x86-64 Linux");
        }
        return found!;
    }

    // A copy, so that nothing in the checkout is restored for another framework while other tests use it.
    private static void CopySources(TemporaryFolder folder)
    {
        foreach (string file in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", ".editorconfig" })
        {
            File.Copy(RepositoryRoot.Combine(file), folder.Combine(file));
        }
        foreach (string project in new[] { "Graph.Core", "Graph.Runtime" })
        {
            string root = RepositoryRoot.Combine(project);
            foreach (string file in Directory.GetFiles(root, "*", SearchOption.AllDirectories))
            {
                string relative = Path.GetRelativePath(root, file);
                if (relative.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"))
                {
                    string copy = Path.Combine(folder.Combine(project), relative);
                    Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                    File.Copy(file, copy);
                }
            }
        }
        Directory.CreateDirectory(folder.Combine("smoke"));
        File.WriteAllText(folder.Combine("smoke/smoke.csproj"), Project);
        File.WriteAllText(folder.Combine("smoke/Program.cs"), Program);
    }

    private static string AnswerOfASession(string path)
    {
        using OnnxModelFile file = OnnxModelFile.Load(path);
        OnnxModel model = OnnxImporter.Import(file);
        using var session = new Session(model.Module, GraphCompiler.Cpu());
        byte[] image = [.. Enumerable.Range(0, 784).Select(i => (byte)(i * 7))];
        var fed = new Dictionary<string, Feed> { ["image"] = Feed.Of<byte>(image) };
        return Convert.ToHexString(session.Run(["logits"], fed)[0].Bytes.Span);
    }
}
