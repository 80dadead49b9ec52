using Graphene.Codegen;
using Graphene.Tests.Codegen.KernelIr;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Support.Evaluation;

namespace Graphene.Tests.Codegen;

/// <summary>Reductions of everything up to each element walk lines once, one element after the other, along any axis.</summary>
internal sealed class RunningReductionTests
{
    private static readonly DType[] Types =
        [DType.F32, DType.F64, DType.F16, DType.BF16, DType.U8, DType.I64];

    private static readonly long[][] Shapes =
        [[1], [7], [1, 9], [9, 64], [2, 70, 3, 5], [3, 2500]];

    private static readonly KernelTarget[] Machines =
    [
        new(128, 8, CacheSizes.Typical), new(256, 16, CacheSizes.Typical), new(512, 32, CacheSizes.Typical),
    ];

    [Test]
    public void SumsAreTakenInOrder([ValueSource(nameof(Types))] DType type, [Values] bool exclusive, [Values] bool reverse)
    {
        foreach (long[] shape in Shapes)
        {
            Literal x = Values(type, shape);
            for (int axis = 0; axis < shape.Length; axis++)
            {
                Module module = Running(x.Type, axis, exclusive, reverse, ElementwiseTable.Add, Scalar.Zero(type));
                Literal expected = InOrder(x, axis, exclusive, reverse, ElementwiseTable.Add, Scalar.Zero);
                LiteralAssert.AreEqual(CompiledModule.Run(module, [x], threads: 1)[0], expected, $"{x.Type} along {axis}");
            }
        }
    }

    [Test]
    public void OtherFunctionsRunToo([Values] bool exclusive, [Values] bool reverse)
    {
        (ElementwiseFn Function, Func<DType, Scalar> Initial)[] functions =
        [
            (ElementwiseTable.Multiply, Scalar.One), (ElementwiseTable.Maximum, Scalar.Lowest), (ElementwiseTable.Minimum, Scalar.Highest),
        ];
        foreach ((ElementwiseFn function, Func<DType, Scalar> initial) in functions)
        {
            foreach (DType type in (DType[])[DType.F32, DType.F16, DType.I32])
            {
                Literal x = Values(type, 6, 37);
                for (int axis = 0; axis < 2; axis++)
                {
                    Module module = Running(x.Type, axis, exclusive, reverse, function, initial(type));
                    Assert.That(RunsAlongLines(module), Is.True);
                    Literal expected = InOrder(x, axis, exclusive, reverse, function, initial);
                    LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], expected, $"{function.Name} of {x.Type} along {axis}");
                }
            }
        }
    }

    [Test]
    public void TruthValuesRun([Values] bool reverse)
    {
        Literal x = Literal.From<bool>([.. Enumerable.Range(0, 60).Select(i => i % 7 < 3)], 3, 20);
        Module module = Running(x.Type, 1, false, reverse, ElementwiseTable.Or, Scalar.FromBool(false));
        Assert.That(RunsAlongLines(module), Is.True);
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], Evaluator.Evaluate(module.Entry, [x])[0]);
    }

    [Test]
    public void EveryMachineHasTheSameBits([Values] bool exclusive, [Values] bool reverse)
    {
        foreach (long[] shape in (long[][])[[7], [5, 33], [4, 3, 17]])
        {
            Literal x = Values(DType.F32, shape);
            for (int axis = 0; axis < shape.Length; axis++)
            {
                Module module = Running(x.Type, axis, exclusive, reverse, ElementwiseTable.Add, Scalar.Zero(DType.F32));
                Literal expected = InOrder(x, axis, exclusive, reverse, ElementwiseTable.Add, Scalar.Zero);
                foreach (KernelTarget machine in Machines)
                {
                    LiteralAssert.AreEqual(
                        new InterpretedModule(module, machine).Run([x])[0], expected, $"{machine.VectorBits} bits, along {axis}");
                }
            }
        }
    }

    [TestCase(0)]
    [TestCase(1)]
    public void ThreadsAndSizesOfTheRunChangeNoBit(int axis)
    {
        Literal x = Noise([301, 5003], 1);
        Literal expected = InOrder(x, axis, false, false, ElementwiseTable.Add, Scalar.Zero);
        Module module = Running(x.Type, axis, false, false, ElementwiseTable.Add, Scalar.Zero(DType.F32));
        foreach (int threads in (int[])[1, 2, 7])
        {
            LiteralAssert.AreEqual(CompiledModule.Run(module, [x], threads)[0], expected, $"{threads} threads");
        }
        var symbolic = new TensorType(DType.F32, [Dim.Symbol("rows", 0, 1000), Dim.Symbol("columns", 0, 10000)]);
        module = Running(symbolic, axis, false, false, ElementwiseTable.Add, Scalar.Zero(DType.F32));
        Assert.That(RunsAlongLines(module), Is.True);
        LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], expected, "symbolic");
        Literal nothing = Values(DType.F32, axis == 0 ? [0, 9] : [9, 0]);
        LiteralAssert.AreEqual(CompiledModule.Run(module, [nothing])[0], nothing, "nothing");
    }

    [Test]
    public void ZerosNaNAndInfinitiesAreThoseOfTheReference()
    {
        Literal x = F32([2, 9], -0f, -0f, 0, 1, float.NaN, 2, 3, 4, 5, -0f, 1, float.PositiveInfinity, 2, float.NegativeInfinity, 1, 0, 0, 0);
        foreach ((ElementwiseFn function, Scalar initial) in (IEnumerable<(ElementwiseFn, Scalar)>)
            [(ElementwiseTable.Add, Scalar.Zero(DType.F32)), (ElementwiseTable.Maximum, Scalar.Lowest(DType.F32))])
        {
            for (int axis = 0; axis < 2; axis++)
            {
                Module module = Running(x.Type, axis, false, false, function, initial);
                LiteralAssert.AreEqual(CompiledModule.Run(module, [x])[0], Evaluator.Evaluate(module.Entry, [x])[0], $"{axis}");
            }
        }
    }

    private static bool RunsAlongLines(Module module) => new InterpretedModule(module, Machines[1]).Kernels.Any(
        k => k.Name.StartsWith("running_reduction", StringComparison.Ordinal));

    private static Module Running(TensorType type, int axis, bool exclusive, bool reverse, ElementwiseFn function, Scalar initial) =>
        CompiledModule.Build(b => [Window(b, b.Parameter(0, type), axis, exclusive, reverse, function, initial)]);

    private static Node Window(GraphBuilder b, Node x, int axis, bool exclusive, bool reverse, ElementwiseFn function, Scalar initial)
    {
        Dim extent = x.Shape[axis];
        (Dim far, Dim near) = exclusive ? (extent, -1) : (extent - 1, 0);
        WindowDim[] window = [.. Enumerable.Repeat(WindowDim.Identity, x.Rank)];
        window[axis] = reverse ? new WindowDim(extent, Low: near, High: far) : new WindowDim(extent, Low: far, High: near);
        return b.ReduceWindow(x, b.Constant(initial), window, function);
    }

    // One after the other from the first element on: what the reference does with each window. In reverse that begins with the last.
    private static Literal InOrder(
        Literal x, int axis, bool exclusive, bool reverse, ElementwiseFn function, Func<DType, Scalar> initial) => One(b =>
    {
        DType wide = x.Type.DType is DType.F16 or DType.BF16 ? DType.F32 : x.Type.DType;
        Node p = b.Convert(b.Constant(x), wide);
        p = reverse ? b.Reverse(p, [axis]) : p;
        long[] extents = p.Shape.ToStatic();
        var pieces = new List<Node>();
        Node total = b.BroadcastInDim(b.Constant(initial(wide)), p.Shape.With(axis, 1), []);
        for (long i = 0; i < extents[axis]; i++)
        {
            Node next = b.Elementwise(function, total, b.SliceDimension(p, axis, i, i + 1));
            pieces.Add(exclusive ? total : next);
            total = next;
        }
        Node all = b.Concatenate(pieces, axis);
        return b.Convert(reverse ? b.Reverse(all, [axis]) : all, x.Type.DType);
    });

    private static Literal Values(DType type, params long[] shape)
    {
        var random = new Random(shape.Length);
        return Literal.Generate(new TensorType(type, Shape.Of(shape)), _ => type.IsFloating()
            ? Scalar.FromDouble(type, random.NextDouble() - 0.3)
            : Scalar.FromNumber(type, random.Next(type.IsUnsignedInteger() ? 0 : -3, 4)));
    }
}
