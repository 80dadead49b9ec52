using System.Diagnostics;
using System.Globalization;
using Graphene.Tests.Cli;
using Graphene.Tests.Support;
using Graphene.Tests.Tensors;
using NUnit.Framework;

namespace Graphene.Tests.Packages;

/// <summary>What users do with the packages, from <c>dotnet new</c> to publishing, in the order in which they do it.</summary>
/// <remarks>
/// Each step starts the SDK, which takes seconds; so it is one test, whose steps build on each other
/// instead of beginning anew.
/// </remarks>
[TestFixture]
[NonParallelizable]
internal sealed partial class PackageFlowTests : IDisposable
{
    private const int MaxIdleMilliseconds = 300;
    private const long MaxShareInBytes = 3 << 20;
    private const string OtherTensors = "11.0.0";
    private static readonly string Model = RepositoryRoot.Combine("tools", "cli", "demo", "digits.onnx");
    private PackageFeed _feed = null!;
    private string _project = "";

    [OneTimeSetUp]
    public void MakePackages() => _feed = new PackageFeed();

    [OneTimeTearDown]
    public void Dispose() => _feed.Dispose();

    [Test]
    public void FromANewProjectToAPublishedOne()
    {
        Step(nameof(PackagesHoldWhatTheySay), PackagesHoldWhatTheySay);
        Step(nameof(TwoLinesInAConsoleProjectAreEnough), TwoLinesInAConsoleProjectAreEnough);
        Step(nameof(NothingIsDoneWhenNothingChanged), NothingIsDoneWhenNothingChanged);
        Step(nameof(OnlyWhatChangedIsCompiled), OnlyWhatChangedIsCompiled);
        Step(nameof(AnEditorCompilesNothing), AnEditorCompilesNothing);
        Step(nameof(WhatIsWrongIsAnErrorAtTheItem), WhatIsWrongIsAnErrorAtTheItem);
        Step(nameof(APublishedApplicationHasOnePlatform), APublishedApplicationHasOnePlatform);
        Step(nameof(APackedLibraryBringsItsModel), APackedLibraryBringsItsModel);
        Step(nameof(AnotherVersionOfTensorsServes), AnotherVersionOfTensorsServes);
    }

    // Says which, and how long it took: the suite has to stay short.
    private static void Step(string name, Action step)
    {
        long start = Stopwatch.GetTimestamp();
        TestContext.Progress.WriteLine($"{name} ...");
        try
        {
            step();
        }
        finally
        {
            TestContext.Out.WriteLine($"{name}: {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        }
    }

    private void PackagesHoldWhatTheySay()
    {
        Assert.That(_feed.Packing.Exit, Is.Zero, _feed.Packing.Output);
        string[] packages = [.. Directory.GetFiles(_feed.Feed).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
        Assert.That(packages, Is.EqualTo(new[]
        {
            "Graphene.Build.0.1.0.nupkg", "Graphene.Core.0.1.0.nupkg", "Graphene.Core.0.1.0.snupkg", "Graphene.Runtime.0.1.0.nupkg",
            "Graphene.Runtime.0.1.0.snupkg", "Graphene.Tensors.0.1.0.nupkg", "Graphene.Tensors.0.1.0.snupkg",
        }));

        string[] runtime = Entries("Graphene.Runtime.0.1.0.nupkg");
        Assert.That(runtime.Where(e => e.StartsWith("lib/", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            "lib/net10.0/Graphene.Runtime.dll", "lib/net10.0/Graphene.Runtime.xml",
        }));
        Assert.That(runtime, Does.Contain("PACKAGE.md"));
        Assert.That(Dependencies("Graphene.Runtime.0.1.0.nupkg"), Is.SubsetOf(new[]
        {
            "Graphene.Core", "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions",
        }));
        Assert.That(Dependencies("Graphene.Core.0.1.0.nupkg"), Is.Empty);
        Assert.That(Dependencies("Graphene.Build.0.1.0.nupkg").Distinct(), Is.EqualTo(new[] { "Graphene.Runtime" }));

        string[] build = Entries("Graphene.Build.0.1.0.nupkg");
        Assert.That(build, Does.Contain("analyzers/dotnet/cs/Graphene.Build.dll").And.Contain("buildTransitive/Graphene.Build.targets")
            .And.Contain("tools/net10.0/Graphene.Cli.dll").And.Contain("tools/net10.0/Graphene.Cli.runtimeconfig.json"));
        Assert.That(build.Where(e => e.EndsWith(".onnx", StringComparison.Ordinal)), Is.Empty);
    }

    private void TwoLinesInAConsoleProjectAreEnough()
    {
        _project = _feed.NewProject(
            "console", "app", """<PackageReference Include="Graphene.Build" Version="0.1.0" />""",
            """<GrapheneModel Include="digits.onnx" />""");
        File.Copy(Model, _feed.Combine("app", "digits.onnx"));
        File.WriteAllText(_feed.Combine("app", "Program.cs"), """
            using app;

            using Digits digits = Digits.Load();
            byte[] image = new byte[784];
            for (int i = 0; i < image.Length; i++)
            {
                image[i] = (byte)(i * 7);
            }
            Console.WriteLine(Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(digits.Run(image))));
            """);

        DotnetCommand built = _feed.Run("app", "build", "-c", "Release", "-v:n", "-tl:off", "-nologo");

        Assert.That(built.Exit, Is.Zero, built.Output);
        Assert.That(built.Output, Does.Contain("Compiling digits.onnx for "));
        Assert.That(Warnings().Matches(built.Output), Is.Empty, built.Output);
        DotnetCommand run = _feed.Run("app", "exec", "bin/Release/net10.0/app.dll");
        Assert.That(run.Output.Trim(), Is.EqualTo(AnswerOfASession()), "the same bits as a session computes");
    }

    private void NothingIsDoneWhenNothingChanged()
    {
        DotnetCommand again = _feed.Run(
            "app", "build", "-c", "Release", "--no-restore", "-v:q", "-tl:off", "-nologo", "-clp:PerformanceSummary");

        Assert.That(again.Exit, Is.Zero, again.Output);
        Assert.That(again.Output, Does.Not.Contain("Compiling digits.onnx"));
        int milliseconds = Times().Matches(again.Output).Sum(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));
        TestContext.Out.WriteLine($"targets of Graphene.Build in a build without changes: {milliseconds} ms");
        Assert.That(Times().Matches(again.Output), Is.Not.Empty, again.Output);
        Assert.That(milliseconds, Is.AtMost(MaxIdleMilliseconds), again.Output);
    }

    private void OnlyWhatChangedIsCompiled()
    {
        AddItem("""<GrapheneModel Include="relu.hlo" ClassName="Rectifier" />""");
        File.WriteAllText(
            _feed.Combine("app", "relu.hlo"),
            "inputs \"x\"\noutputs \"y\"\n%p0 = f32[4] parameter(0)\n%0 = f32[4] negate(%p0)\nreturn %0\n");
        DotnetCommand added = Build();
        Assert.That(added.Exit, Is.Zero, added.Output);
        Assert.That(Compiled(added), Is.EqualTo(new[] { "relu.hlo" }));

        File.SetLastWriteTimeUtc(_feed.Combine("app", "digits.onnx"), DateTime.UtcNow);

        Assert.That(Compiled(Build()), Is.EqualTo(new[] { "digits.onnx" }), "the model that was touched");
        AddItem("""<GrapheneModel Update="digits.onnx" Dims="batch=1" />""");
        DotnetCommand fixedSize = Build();
        Assert.That(Compiled(fixedSize), Is.EqualTo(new[] { "digits.onnx" }), "the item that says something else");
        Assert.That(fixedSize.Exit, Is.Zero, fixedSize.Output);
    }

    private void AnEditorCompilesNothing()
    {
        string bundle = _feed.Combine("app", "obj", "Release", "net10.0", "graphene", "digits.graphene");
        File.Delete(bundle);

        DotnetCommand design = _feed.Run(
            "app", "msbuild", "-t:Compile", "-nologo", "-v:n", "-tl:off", "-p:Configuration=Release", "-p:DesignTimeBuild=true",
            "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true");

        Assert.That(design.Exit, Is.Zero, design.Output);
        Assert.That(design.Output, Does.Not.Contain("Compiling"));
        Assert.That(bundle, Does.Not.Exist);
    }

    private void WhatIsWrongIsAnErrorAtTheItem()
    {
        File.WriteAllText(_feed.Combine("app", "relu.hlo"), "this is no graph");
        AddItem("""<GrapheneModel Include="nowhere.onnx" />""");

        DotnetCommand broken = Build();

        Assert.That(broken.Exit, Is.Not.Zero);
        int missing = Array.FindIndex(File.ReadAllLines(_project), l => l.Contains("nowhere.onnx", StringComparison.Ordinal)) + 1;
        Assert.That(
            broken.Output,
            Does.Contain($"app.csproj({missing},")
                .And.Contain("error GRPH001: the model 'nowhere.onnx' does not exist"));
        Assert.That(broken.Output, Does.Not.Contain("MSB3073"), "one error is enough");
    }

    private void APublishedApplicationHasOnePlatform()
    {
        RestoreItems();

        DotnetCommand published = _feed.Run(
            "app", "publish", "-c", "Release", "-r", "linux-x64", "--self-contained", "false", "-o", "out", "-v:q", "-nologo", "-tl:off");

        Assert.That(published.Exit, Is.Zero, published.Output);
        FileInfo[] files = new DirectoryInfo(_feed.Combine("app", "out")).GetFiles("*", SearchOption.AllDirectories);
        TestContext.Out.WriteLine(string.Join('\n', files.Select(f => $"{f.Length,9} {f.Name}")));
        Assert.That(files.Select(f => f.Name), Does.Contain("digits.graphene"));
        Assert.That(Directory.Exists(_feed.Combine("app", "out", "runtimes")), Is.False, "files of other platforms");
        long share = files
            .Where(f => f.Name.StartsWith("Graphene", StringComparison.Ordinal)
                || f.Name.StartsWith("Microsoft.", StringComparison.Ordinal))
            .Sum(f => f.Length);
        TestContext.Out.WriteLine($"assemblies of Graphene and what it depends on: {share} bytes");
        Assert.That(share, Is.AtMost(MaxShareInBytes));
    }

    private void APackedLibraryBringsItsModel()
    {
        _feed.NewProject(
            "classlib", "lib", """<PackageReference Include="Graphene.Build" Version="0.1.0" PrivateAssets="all" />""",
            """<PackageReference Include="Graphene.Runtime" Version="0.1.0" />""", """<GrapheneModel Include="digits.onnx" />""");
        File.Copy(Model, _feed.Combine("lib", "digits.onnx"));
        DotnetCommand packed = _feed.Run("lib", "pack", "-c", "Release", "-o", _feed.Feed, "-v:q", "-nologo", "-tl:off");
        Assert.That(packed.Exit, Is.Zero, packed.Output);
        Assert.That(Entries("lib.1.0.0.nupkg"), Has.One.Matches("^runtimes/[a-z0-9-]+/native/lib.digits.graphene$"));

        _feed.NewProject("console", "user", """<PackageReference Include="lib" Version="1.0.0" />""");
        string program = File.ReadAllText(_feed.Combine("app", "Program.cs"));
        File.WriteAllText(
            _feed.Combine("user", "Program.cs"), program.Replace("using app;", "using lib;", StringComparison.Ordinal));
        DotnetCommand built = _feed.Run("user", "build", "-c", "Release", "-v:q", "-nologo", "-tl:off");

        Assert.That(built.Exit, Is.Zero, built.Output);
        Assert.That(_feed.Run("user", "exec", "bin/Release/net10.0/user.dll").Output.Trim(), Is.EqualTo(AnswerOfASession()));
        Assert.That(Directory.Exists(_feed.Combine("packages", "graphene.core")), Is.True);
    }

    // Built against one version of System.Numerics.Tensors, run with the next; the same checks as with that one.
    private void AnotherVersionOfTensorsServes()
    {
        _feed.NewProject(
            "console", "tensors", """<PackageReference Include="Graphene.Tensors" Version="0.1.0" />""",
            $"""<PackageReference Include="System.Numerics.Tensors" Version="{OtherTensors}" />""");
        File.Copy(RepositoryRoot.Combine("Graph.Tests", "Tensors", "TensorChecks.cs"), _feed.Combine("tensors", "TensorChecks.cs"));
        File.WriteAllText(_feed.Combine("tensors", "Program.cs"), """
            using Graphene.Runtime;
            using Graphene.Tests.Tensors;

            using CompiledGraph graph = CompiledGraph.Load(args[0]);
            using Callable call = graph.Program().MakeCallable();
            foreach ((string name, Action<Callable> check) in TensorChecks.All)
            {
                check(call);
                Console.WriteLine(name);
            }
            Console.WriteLine(typeof(System.Numerics.Tensors.Tensor).Assembly.GetName().Version!.Major);
            """);
        string model = _feed.Combine("double.hlo");
        File.WriteAllText(model, """
            symbol batch in 0..4096
            inputs "x"
            outputs "y"
            %p0 = f32[batch,3] parameter(0)
            %0 = f32[batch,3] add(%p0, %p0)
            return %0
            """);
        string bundle = _feed.Combine("double.graphene");
        CliRun compiled = CliRun.Of("compile", model, "-o", bundle);
        Assert.That(compiled.Exit, Is.Zero, compiled.Error);

        DotnetCommand built = _feed.Run("tensors", "build", "-c", "Release", "-v:q", "-nologo", "-tl:off");
        Assert.That(built.Exit, Is.Zero, built.Output);
        DotnetCommand run = _feed.Run("tensors", "exec", "bin/Release/net10.0/tensors.dll", bundle);

        Assert.That(run.Exit, Is.Zero, run.Output);
        Assert.That(
            run.Output.Trim().Split('\n').Select(l => l.Trim()),
            Is.EqualTo(TensorChecks.All.Select(c => c.Name)
                .Append(Version.Parse(OtherTensors).Major.ToString(CultureInfo.InvariantCulture))));
    }
}
