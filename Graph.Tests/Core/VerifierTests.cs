using System.Collections.Immutable;
using NUnit.Framework;

namespace Graphene.Tests.Core;

/// <summary>Each invariant, broken on purpose.</summary>
internal sealed class VerifierTests
{
    private static readonly TensorType Vector = new(DType.F32, Shape.Of(3));

    [Test]
    public void WhatTheBuilderMakesIsSound()
    {
        foreach (OpCase c in OpCases.All)
        {
            Assert.That(Verifier.Check(c.Make().Computation), Is.Empty, c.ToString());
        }
    }

    [Test]
    public void NodesOfTwoBuildersAreFound()
    {
        var first = new GraphBuilder();
        var second = new GraphBuilder();
        Node x = first.Parameter(0, Vector);
        second.Parameter(0, Vector);
        Finds(second.Build("mixed", [second.Exponential(second.Negate(x))]), "is not a parameter of its computation");
        Finds(second.Build("mixed", [second.Add(first.Negate(x), second.Parameter(0, Vector))]), "come from different builders");
    }

    [Test]
    public void AMissingOrWrongEffectIsFound()
    {
        var b = new GraphBuilder();
        Node call = b.CustomCall("log", [b.Parameter(0, Vector)], [Vector], hasEffect: true);
        Finds(b.Build("unlisted", [call]), "has an effect but is not listed");
        Finds(b.Build("twice", [call], [call, call]), "is listed twice");
        Finds(b.Build("none", [call], [call, b.Parameter(0, Vector)]), "is listed as an effect and has none");
        Assert.That(Verifier.Check(b.Build("right", [call], [call])), Is.Empty);
    }

    [Test]
    public void AnOperandOfSeveralResultsIsFound()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, Vector);
        Node pair = b.Add(new OptimizationBarrierOp(), x, x);
        Assert.That(() => b.Negate(pair), Throws.InstanceOf<InvalidOperationException>());
        Finds(b.Build("pair", [b.Add(new OptimizationBarrierOp(), x, x)]), "which is not one value");
    }

    [Test]
    public void ABodyThatSharesANodeIsFound()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, Vector);
        Computation body = b.Build("body", [b.Negate(x)]);
        Finds(b.Build("outer", [b.Add(new FusionOp(FusionKind.Loop, body), x)]), "computations capture nothing");
    }

    [Test]
    public void SymbolsHaveOneMeaningAndASource()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.From([Dim.Symbol("n", 1, 8)])));
        Node same = b.Negate(x);
        Finds(b.Build("foreign", [same, b.Splat(DType.F32, Shape.From([Dim.Symbol("m")]), 0)]), "which no parameter of the entry has");
        Node other = b.Splat(DType.F32, Shape.From([Dim.Symbol("n", 1, 9)]), 0);
        Finds(b.Build("bounds", [same, other]), "elsewhere in 1..8");
    }

    [Test]
    public void NamesFitTheInterface()
    {
        var b = new GraphBuilder();
        var module = new Module("m", b.Build("main", [b.Parameter(0, Vector)]), [], ["y"], b.Provenance);
        CompilerBugException? error = Assert.Throws<CompilerBugException>(() => Verifier.Verify(module, "some-pass"));
        Assert.That(error?.Message, Does.Contain("some-pass").And.Contains("0 input names for 1 parameters"));
    }

    [Test]
    public void DotDrawsEveryNodeOnce()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, Shape.Of(2, 3)));
        Computation main = b.Build("main", [b.ReduceSum(b.Exponential(x), [1])]);
        string dot = DotWriter.Write(new Module("say \"hi\"", main, ["x"], ["y"], b.Provenance));
        Assert.That(dot, Does.StartWith("digraph \"say \\\"hi\\\"\" {").And.Contains("subgraph cluster_c0").And.EndsWith("}\n"));
        Assert.That(dot.Split("[label=\"exponential\\nf32[2,3]\""), Has.Length.EqualTo(2));
        Assert.That(dot.Count(c => c == '{'), Is.EqualTo(dot.Count(c => c == '}')));
    }

    private static void Finds(Computation computation, string what)
    {
        IReadOnlyList<string> findings = Verifier.Check(computation);
        Assert.That(findings, Has.Some.Contains(what), string.Join("\n", findings));
        ImmutableArray<string> inputs = [.. computation.Parameters.Select((_, i) => $"p{i}")];
        var module = new Module("m", computation, inputs, [.. computation.Results.Select((_, i) => $"r{i}")], new ProvenanceTable());
        Assert.That(() => Verifier.Verify(module, "test"), Throws.InstanceOf<CompilerBugException>());
    }
}
