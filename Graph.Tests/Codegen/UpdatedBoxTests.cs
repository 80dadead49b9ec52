using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen;

/// <summary>A loop that fills a buffer step by step writes each step once, and what it does not fill stays.</summary>
internal sealed class UpdatedBoxTests
{
    private static readonly TensorType Sequence = new(DType.F32, Shape.Of(9, 40));

    // Round i replaces two rows at 3 i - 1, which clamping moves inside at both ends.
    private static Module Filling(DType starts, Func<GraphBuilder, Node, Node, Node> update) => CompiledModule.Build(b =>
        b.Repeat(4, [b.Parameter(0, Sequence)], [b.Parameter(1, new TensorType(DType.F32, Shape.Of(2, 40)))], (c, round, carried, given) =>
        {
            Node start = c.Subtract(c.Multiply(round, c.Constant(round.DType, 3)), c.Constant(round.DType, starts == DType.U64 ? 0 : 1));
            Node at = c.Convert(start, starts);
            return [c.DynamicUpdateSlice(carried[0], update(c, given[0], carried[0]), [at, c.Constant(starts, 0)])];
        }));

    private static Literal[] Arguments() =>
    [
        Literal.Generate(Sequence, at => Scalar.FromDouble(DType.F32, (at[0] * 100) + at[1])),
        Literal.Generate(new TensorType(DType.F32, Shape.Of(2, 40)), at => Scalar.FromDouble(DType.F32, -1 - at[1] - (at[0] * 50))),
    ];

    private static void AssertRuns(Module module)
    {
        Literal[] arguments = Arguments();
        Literal expected = Evaluator.Evaluate(module.Entry, arguments)[0];
        LiteralAssert.AreEqual(CompiledModule.Run(module, arguments)[0], expected);
        LiteralAssert.AreEqual(new InterpretedModule(module).Run(arguments)[0], expected, "interpreted");
    }

    private static long MostBytesOfAnUpdate(Module module) => new InterpretedModule(module).Kernels
        .Where(k => k.Arguments.Any(buffer => buffer.Element == DType.F32)).Max(k => k.Cost.Bytes.Value);

    [TestCase(DType.I32)]
    [TestCase(DType.I64)]
    [TestCase(DType.U64)]
    public void OnlyTheBoxIsWritten(DType starts)
    {
        Module module = Filling(starts, (c, given, _) => c.Negate(given));

        AssertRuns(module);
        Assert.That(MostBytesOfAnUpdate(module), Is.EqualTo(2 * 2 * 40 * sizeof(float)));
    }

    [Test]
    public void WhatIsReadElsewhereIsWrittenWhole()
    {
        Module module = Filling(DType.I64, (c, given, carried) => c.Add(given, c.Slice(carried, [4, 0], [6, 40])));

        AssertRuns(module);
        Assert.That(MostBytesOfAnUpdate(module), Is.GreaterThan(Sequence.SizeInBytes.Value));
    }
}
