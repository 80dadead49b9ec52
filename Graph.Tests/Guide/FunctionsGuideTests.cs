using System.Text.RegularExpressions;
using Graphene.Codegen;
using Graphene.Runtime;
using Graphene.Tests.Core.Authoring;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Guide;

/// <summary>docs/guide/functions.md</summary>
internal sealed partial class FunctionsGuideTests
{
    [Test]
    public void CallsFromCSharpAndFromTheGraph()
    {
        // snippet
        var graph = new Graph();
        Variable scale = graph.Variable(Literal.From<float>([2]), "scale");
        Function normalize = graph.Function(x => x * scale.Read() / x.Square().ReduceSum().Sqrt(), "normalize");

        using var session = new Session(graph, GraphCompiler.Cpu());
        Literal y = session.Call(normalize, new float[] { 3, 4 })[0];
        // end
        Assert.That(y.As<float>().ToArray(), Is.EqualTo(new[] { 1.2f, 1.6f }).Within(1e-6));

        // snippet
        Tensor input = graph.Placeholder(DType.F32, [2], "input");
        Tensor twice = normalize[normalize[input] + 1];
        // end
        Assert.That(session.Run(twice, (input, new float[] { 3, 4 })).As<float>()[0], Is.EqualTo(1.2925f).Within(1e-3));
        Assert.That(normalize.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void Signatures()
    {
        var graph = new Graph();
        using var session = new Session(graph, new ReferenceCompiler());

        // snippet
        Function mean = graph.Function(
            x => x.ReduceMean(0), "mean",
            new FunctionOptions { Signature = [new TensorType(DType.F32, ["rows", 2])] });
        // end
        session.Call(mean, Feed.Of<float>(new float[6], 3, 2));
        session.Call(mean, Feed.Of<float>(new float[8], 4, 2));
        Assert.That(mean.TraceCount, Is.EqualTo(1));
    }

    [Test]
    public void State()
    {
        var graph = new Graph();
        using var session = new Session(graph, new ReferenceCompiler());

        // snippet
        Variable count = graph.Variable(Literal.From<long>([0]), "count");
        Function countRows = graph.Function(x =>
        {
            count.AssignAdd(graph.Size(x.Shape[0]));
            return count.Read();
        });
        session.Call(countRows, new float[5]);
        Literal ten = session.Call(countRows, new float[5])[0];
        // end
        Assert.That(ten[0].AsDouble, Is.EqualTo(10));
    }

    [Test]
    public void EveryRowOfTheTableHasItsTest()
    {
        string[] rows =
        [
            .. File.ReadAllLines(RepositoryRoot.Combine("docs", "guide", "functions.md"))
                .SkipWhile(l => !l.StartsWith("| ---", StringComparison.Ordinal)).Skip(1).TakeWhile(l => l.StartsWith('|')),
        ];
        string[] named = [.. rows.Select(r => Named().Match(r).Groups[1].Value)];
        IEnumerable<string> tests = typeof(FunctionTracingTests).GetMethods()
            .Where(m => m.IsDefined(typeof(TestAttribute), false)).Select(m => m.Name);

        Assert.That(named, Is.EquivalentTo(tests));
    }

    [GeneratedRegex(@"`(\w+)` \|$")]
    private static partial Regex Named();
}
