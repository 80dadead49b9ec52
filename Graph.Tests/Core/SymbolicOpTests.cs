using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Core;

/// <summary>
/// Ops over symbolic dims: the element form with symbols bound at run time is the reference of the graph specialised to them.
/// </summary>
internal sealed class SymbolicOpTests
{
    private static readonly DimSymbol N = new("n", 1, 64);
    private static readonly DimSymbol M = new("m", 1, 64);

    private static IEnumerable<TestCaseData> Graphs()
    {
        yield return Case("slice", [N, 4], (b, x) => b.Slice(x, [0, 1], [(Dim)N - 1, 4], [2, 1]));
        yield return Case("slice from symbol", [(Dim)N + 2, 2], (b, x) => b.SliceDimension(x, 0, (Dim)N - 1, (Dim)N + 1));
        yield return Case("pad to multiple", [N, 3], (b, x) => b.Pad(
            x, b.Constant(DType.F32, -1), [1, 0], [(Dim.CeilDiv(N, 4) * 4) - N, 0], [0, 1]));
        yield return Case("pad between", [N], (b, x) => b.Pad(x, b.Constant(DType.F32, -1), [0], [-1], [2]));
        yield return Case("concatenate", [N, M], (b, x) => b.Concatenate([x, b.Negate(x), b.Splat(DType.F32, [1, M], 7)], 0));
        yield return Case("reverse", [N, M], (b, x) => b.Reverse(x, [0]));
        yield return Case("reshape", [N, 6], (b, x) => b.Reshape(x, [(Dim)N * 2, 3]));
        yield return Case("reshape over symbols", [N, M, 2], (b, x) => b.Reshape(x, [(Dim)N * M, 2]));
        yield return Case("broadcast", [1, M], (b, x) => b.BroadcastInDim(x, [(Dim)M + 1, 1, M], [1, 2]));
        yield return Case("iota", [N], (b, x) => b.Multiply(x, b.Iota(x.Type, 0)));
        yield return Case("take", [N, M], (b, x) => b.Take(x, b.Iota(new TensorType(DType.I32, [4]), 0), 0));
        yield return Case("dynamic slice", [N, M], (b, x) => b.DynamicSlice(
            x, [b.Constant(DType.I32, 1), b.Constant(DType.I32, 99)], [1, Dim.Min(M, 3)]));
        yield return Case("dynamic update", [N], (b, x) => b.DynamicUpdateSlice(
            x, b.Splat(DType.F32, [1], 9), [b.Convert(b.DimValue((Dim)N - 1), DType.I32)]));
        yield return Case("sum", [N, M], (b, x) => b.ReduceSum(x, [1]));
        yield return Case("random", [N, M], (b, x) => b.Add(x, b.Convert(
            b.RngBitGenerator(b.Constant(Literal.From<ulong>([1, 2], 2)), x.Type with { DType = DType.U8 }).Bits, DType.F32)));
        yield return Case("mean", [N], (b, x) => b.Divide(
            x, b.BroadcastInDim(b.Convert(b.DimValue(N), DType.F32), x.Shape, [])));
    }

    [TestCaseSource(nameof(Graphs))]
    public void BindingSymbolsLateOrEarlyIsTheSame(Shape shape, Func<GraphBuilder, Node, Node> build)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, shape));
        Node y = build(b, x);
        var module = new Module("symbolic", b.Build("main", [y]), ["x"], ["y"], b.Provenance);
        Assert.That(Verifier.Check(module), Is.Empty);
        string text = Printer.Print(module);
        Assert.That(Printer.Print(Parser.ParseModule(text)), Is.EqualTo(text));
        foreach ((long n, long m) in ((long, long)[])[(1, 1), (2, 3), (5, 1), (8, 7)])
        {
            Func<DimSymbol, long> valueOf = symbol => symbol == N ? n : m;
            Dictionary<string, long> dims = module.Symbols.ToDictionary(s => s.Name, valueOf);
            Module specialised = Specialization.Apply(module, dims);
            Assert.That(specialised.Entry.ResultTypes, Has.All.Property(nameof(Shape)).Property(nameof(Shape.IsStatic)).True);
            int next = 0;
            Literal input = Literal.Generate(
                specialised.Entry.Parameters[0].Type, _ => Scalar.FromDouble(DType.F32, next++ - 3));
            Literal expected = Evaluator.Evaluate(specialised.Entry, [input])[0];
            LiteralAssert.AreEqual(ElementForm.Evaluate(y, 0, [input], valueOf), expected, $"n={n}, m={m}");
        }
    }

    [Test]
    public void WhatTypesCannotDecideBecomesACheck()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [N]));
        Node y = b.Parameter(1, new TensorType(DType.F32, [M]));
        Node slice = b.SliceDimension(x, 0, 0, 5);
        Computation c = b.Build("main", [b.Add(x, y), b.Negate(b.Add(x, y)), slice]);
        IReadOnlyList<(DimCheck Check, Node Node)> checks = DimCheck.Collect(c);
        Assert.That(checks.Select(check => check.Check.ToString()), Is.EquivalentTo(["n == m", "5 <= n"]));
        Assert.That(checks.Single(check => check.Check.Relation == DimRelation.AtMost).Node, Is.SameAs(slice));
        Assert.That(checks.Select(check => check.Check.Holds(_ => 4)), Is.EquivalentTo([true, false]));
    }

    [Test]
    public void WhatTypesKnowToBeWrongIsRefused()
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, new TensorType(DType.F32, [N]));
        Assert.That(() => b.SliceDimension(x, 0, 0, (Dim)N + 1), Refuses(DiagnosticId.OutOfBounds));
        Assert.That(() => b.SliceDimension(x, 0, 0, 65), Refuses(DiagnosticId.OutOfBounds));
        Assert.That(() => b.Pad(x, b.Constant(DType.F32, 0), [-65], [0]), Refuses(DiagnosticId.OutOfBounds));
        Assert.That(() => b.Add(x, b.Splat(DType.F32, [(Dim)N + 1], 0)), Refuses(DiagnosticId.ShapeMismatch));
        Assert.That(() => b.Reshape(x, [(Dim)N * 2]), Refuses(DiagnosticId.ElementCountMismatch));
    }

    private static NUnit.Framework.Constraints.Constraint Refuses(DiagnosticId id) =>
        Throws.InstanceOf<GraphException>().With.Property(nameof(GraphException.Id)).EqualTo(id);

    private static TestCaseData Case(string name, Shape shape, Func<GraphBuilder, Node, Node> build) =>
        new TestCaseData(shape, build).SetArgDisplayNames(name);
}
