using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/debugging.md</summary>
internal sealed class DebuggingGuideTests
{
    [Test]
    public void NumbersThatAreNoneAreFound()
    {
        string message = "";
        float[] probabilities = [0.5f, 0.25f, 0];
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, ["n"], "x");

        // snippet
        Tensor entropy = -(x * x.Log()).ReduceSum();
        using var session = new Session(graph, GraphCompiler.Cpu(), new SessionOptions { DebugNumerics = true });
        try
        {
            session.Run(entropy, (x, probabilities));
        }
        catch (GraphException e)
        {
            message = e.Message;
        }
        // end
        Assert.That(message, Does.StartWith("GR6210 log: "));
    }

    [Test]
    public void ValuesCanBeLookedAt()
    {
        float[] features = [1, 2, 3];
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [3], "x");

        // snippet
        Tensor y = (x * 2).Tap("doubled").Exp().Print("exponentials").ReduceSum();
        var seen = new Dictionary<string, Literal>();
        var options = new SessionOptions { TapOutput = (name, value) => seen[name] = value, PrintOutput = Console.Out };
        using var session = new Session(graph, GraphCompiler.Cpu(), options);
        session.Run(y, (x, features));
        // end
        Assert.That(seen["doubled"].As<float>().ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
    }

    [Test]
    public void TimeCanBeLookedAt()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Combine("trace.json");
        var graph = new Graph();
        Tensor x = graph.Placeholder(DType.F32, [8, 8], "x");
        Tensor y = x.MatMul(x).Softmax();
        Feed feed = Feed.Of<float>(new float[64], 8, 8);

        // snippet
        Module module = graph.ToModule([y], [x]);
        GraphCompiler compiler = GraphCompiler.Cpu(new GraphCompilerOptions { IsProfiled = true });
        using NativeProgram program = NativeProgram.Load(compiler.Compile(module, NullLogger.Instance, default));
        var profile = new KernelProfile(maxEvents: 10_000);
        program.Run(new Dictionary<string, Feed> { ["x"] = feed }, new RunOptions { Profile = profile });
        ChromeTrace.Write(path, program.Plan, profile);
        // end
        Assert.That(File.ReadAllText(path), Does.Contain("DebuggingGuideTests.cs"));
    }
}
