using Graphene.Optimizer;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Optimizer;

/// <summary>
/// Operands of concatenations are written where the result has them, slices are read where their operand has them. Every plan is checked,
/// executed on memory, and compiled.
/// </summary>
[TestFixture]
public sealed class PartSharingTests
{
    private static readonly TensorType Row = new(DType.F32, Shape.Of(1, 64));
    private static readonly TensorType Rows = new(DType.F32, Shape.Of(3, 64));

    [Test]
    public void OperandsAreWrittenWhereTheResultHasThem()
    {
        MemoryPlan plan = PlanOf(b => [Matrix(b, b.Concatenate([Matrix(b, b.Parameter(0, Row)), Matrix(b, b.Parameter(1, Rows))], 0))]);
        Assert.That(Joins(plan), Is.EqualTo(1));
        Assert.That(PlanInterpreter.Copies, Is.Zero);
        Assert.That(plan.Pack(_ => 0).SizeInBytes, Is.EqualTo(4 * 256), "the concatenation alone");
    }

    [Test]
    public void TheCallersResultIsWrittenInParts()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, Rows);
            return [b.Concatenate([Matrix(b, x), b.Negate(x), Matrix(b, b.Exponential(x))], 0)];
        });
        Assert.That(Joins(plan), Is.EqualTo(1));
        Assert.That(PlanInterpreter.Copies, Is.Zero);
        Assert.That(
            plan.Buffers.Where(b => b.Kind == BufferKind.Part).Select(b => plan.Buffers[b.Number].Kind),
            Has.All.EqualTo(BufferKind.Result));
    }

    [Test]
    public void DimensionsOfOneInFrontAreNone()
    {
        MemoryPlan plan = PlanOf(b => [Matrix(b, b.Reshape(
            b.Concatenate(
                [
                    b.Reshape(Matrix(b, b.Parameter(0, Rows)), Shape.Of(1, 1, 3, 64)),
                    b.Parameter(1, new(DType.F32, Shape.Of(1, 1, 1, 64))),
                ],
                2),
            Shape.Of(4, 64)))]);
        Assert.That(Joins(plan), Is.EqualTo(1));
        Assert.That(PlanInterpreter.Copies, Is.EqualTo(1), "the parameter");
    }

    [Test]
    public void RowsThatTakeTurnsAreWrittenApart()
    {
        MemoryPlan plan = PlanOf(b => [Matrix(b, b.Reshape(
            b.Concatenate([Matrix(b, b.Parameter(0, Rows)), Matrix(b, b.Parameter(1, Rows))], 1), Shape.Of(6, 64)))]);
        Assert.That(Joins(plan), Is.EqualTo(1));
        Assert.That(Boxes(plan), Is.EqualTo(new long[][] { [0, 0], [0, 64] }));
        Assert.That(plan.Pack(_ => 0).SizeInBytes, Is.EqualTo(6 * 256), "the concatenation alone");
    }

    [Test]
    public void WhatCannotBeWrittenApartIsCopied()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, Rows);
            Node sorted = b.Sort([x], 1, SortingComposites.Comparator([DType.F32], descending: true))[0];
            return [b.Concatenate([x, Matrix(b, x), sorted, Matrix(b, b.Parameter(1, Rows))], 1)];
        });
        Assert.That(Joins(plan), Is.Zero, "a parameter and a sort");
        Assert.That(Boxes(plan), Is.EqualTo(new long[][] { [0, 64], [0, 192] }));
    }

    [Test]
    public void RowsOfAFewBytesAreCopied()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, new(DType.F32, Shape.Of(20, 5)));
            Node wide = b.Dot(x, b.Constant(Optimizing.Random(new(DType.F32, Shape.Of(5, 7)), 4, special: false)));
            return [b.Concatenate([b.Exponential(x), wide], 1)];
        });
        Assert.That(plan.Buffers.Count(b => b.Kind == BufferKind.Part), Is.Zero);
    }

    [Test]
    public void LoopsReadRowsWhereTheyAre()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node y = Matrix(b, b.Parameter(0, Rows));
            Node c = b.Concatenate([y, Matrix(b, b.Parameter(1, Rows))], 1);
            Node weights = b.Constant(Optimizing.Random(new(DType.F32, Shape.Of(128, 64)), 5, special: false));
            return [b.Exponential(b.Reverse(y, [0])), b.Dot(c, weights)];
        });
        Assert.That(Joins(plan), Is.EqualTo(1));
        Assert.That(Boxes(plan), Is.EqualTo(new long[][] { [0, 0], [0, 64] }));
    }

    [Test]
    public void WhatADotReadsIsNotTornApart()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node y = Matrix(b, b.Parameter(0, Rows));
            Node c = b.Concatenate([y, Matrix(b, b.Parameter(1, Rows))], 1);
            return [Matrix(b, y), b.Dot(c, b.Constant(Optimizing.Random(new(DType.F32, Shape.Of(128, 64)), 5, special: false)))];
        });
        Assert.That(Joins(plan), Is.Zero);
        Assert.That(Boxes(plan), Is.EqualTo(new long[][] { [0, 64] }));
    }

    [Test]
    public void RowsMayDependOnSymbols()
    {
        var batch = Dim.Symbol("batch", 1, 512);
        Module Build(Dim n) => Optimizing.ModuleOf(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, [n, 64]));
            return [b.Concatenate([Matrix(b, x), b.Negate(Matrix(b, b.Exponential(x)))], 1)];
        });
        MemoryPlan plan = BufferAssigner.Assign(Optimizing.Run(new Fusion(), Build(batch)), new MemoryPlanOptions { SharesParts = true });
        Assert.That(Joins(plan), Is.EqualTo(1));
        Literal[] arguments = [Optimizing.Random(new(DType.F32, Shape.Of(7, 64)), 1, special: false)];
        Literal expected = Evaluator.Evaluate(Build(7).Entry, arguments)[0];
        foreach (long n in (long[])[1, 7, 512])
        {
            MemoryPlanChecker.Check(plan, _ => n);
        }
        LiteralAssert.AreClose(CompiledModule.Run(Build(batch), arguments)[0], expected, 1e-4, 1e-4);
    }

    [Test]
    public void MostlyForeignOperandsAreLeftToAKernel()
    {
        var large = new TensorType(DType.F32, Shape.Of(1024, 64));
        MemoryPlan plan = PlanOf(b => [Matrix(b, b.Concatenate([Matrix(b, b.Parameter(0, Rows)), b.Parameter(1, large)], 0))]);
        Assert.That(Joins(plan), Is.Zero, "a copy of the second would be one thread's");
    }

    [Test]
    public void AnOperandTwiceIsCopiedOnce()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node y = Matrix(b, b.Parameter(0, Rows));
            return [Matrix(b, b.Concatenate([y, y], 0))];
        });
        Assert.That(Joins(plan), Is.EqualTo(1));
        Assert.That(PlanInterpreter.Copies, Is.EqualTo(1));
    }

    [Test]
    public void AResultOfTheCallersStaysHis()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node y = Matrix(b, b.Parameter(0, Rows));
            return [y, Matrix(b, b.Concatenate([y, Matrix(b, b.Parameter(1, Rows))], 0))];
        });
        Assert.That(PlanInterpreter.Copies, Is.LessThanOrEqualTo(1));
        Assert.That(plan.Buffers[plan.Entry.Results[0]].Kind, Is.EqualTo(BufferKind.Result));
    }

    [Test]
    public void AnOperandThatIsReadLaterStaysWhole()
    {
        PlanOf(b =>
        {
            Node y = Matrix(b, b.Parameter(0, Rows));
            Node c = b.Concatenate([y, Matrix(b, b.Parameter(1, Rows))], 0);
            Node changed = Matrix(b, b.Exponential(c)); // may be computed over c, but for the next line
            return [changed, Matrix(b, b.Add(y, b.Slice(changed, [0, 0], [3, 64])))];
        });
    }

    [Test]
    public void ConcatenationsOfConcatenationsAreOne()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = Matrix(b, b.Parameter(0, Row));
            for (int i = 0; i < 4; i++)
            {
                x = b.Concatenate([x, Matrix(b, b.Slice(x, [i, 0], [i + 1, 64]))], 0);
            }
            return [Matrix(b, x)];
        });
        Assert.That(plan.Entry.Steps.OfType<RunStep>().Count(s => s.Node.Op is not FusionOp { Kind: FusionKind.Dot }), Is.Zero);
        Assert.That(PlanInterpreter.Copies, Is.Zero);
    }

    [Test]
    public void SlicesAreReadWhereTheyAre()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, new(DType.F32, Shape.Of(3, 5, 64)));
            Node[] parts = [.. Enumerable.Range(0, 3).Select(i => b.Reshape(b.SliceDimension(x, 0, i, i + 1), Shape.Of(5, 64)))];
            return [Matrix(b, parts[0]), Matrix(b, b.Slice(parts[1], [1, 0], [4, 64])), Matrix(b, parts[2])];
        });
        Assert.That(plan.Entry.Steps.OfType<RunStep>().Count(s => s.Node.Op is FusionOp { Kind: FusionKind.Loop }), Is.Zero);
        Assert.That(plan.Buffers.Count(b => b.Kind == BufferKind.Part), Is.GreaterThanOrEqualTo(3));
    }

    [Test]
    public void SlicesWithHolesAreCopied()
    {
        MemoryPlan plan = PlanOf(b =>
        {
            Node x = b.Parameter(0, new(DType.F32, Shape.Of(6, 128)));
            return [Matrix(b, b.Slice(x, [0, 0], [6, 64])), Matrix(b, b.Reshape(b.Slice(x, [0, 0], [6, 128], [2, 1]), Shape.Of(6, 64)))];
        });
        Assert.That(plan.Buffers.Count(b => b.Kind == BufferKind.Part), Is.Zero);
    }

    [Test]
    public void ASliceOfWhatALoopChangesIsCopied() => PlanOf(b =>
    {
        Node x = Matrix(b, b.Parameter(0, Rows));
        var c = new GraphBuilder();
        Node counter = c.Parameter(0, TensorType.Scalar(DType.I32));
        c.Parameter(1, Rows);
        Computation condition = c.Build("condition", [c.Less(counter, c.Constant(DType.I32, 4))]);
        var round = new GraphBuilder();
        Node count = round.Parameter(0, TensorType.Scalar(DType.I32));
        Node state = round.Parameter(1, Rows);
        Node first = Matrix(round, round.Slice(state, [0, 0], [1, 64]));
        Node rest = Matrix(round, round.Slice(state, [1, 0], [3, 64]));
        Computation body = round.Build(
            "body",
            [
                round.Add(count, round.Constant(DType.I32, 1)),
                round.Multiply(round.Concatenate([rest, first], 0), round.Splat(DType.F32, Rows.Shape, 0.1)),
            ]);
        return [b.While([b.Constant(DType.I32, 0), x], condition, body)[1]];
    });

    [Test]
    public void WhatWouldNeedMoreMemoryStaysAsItIs()
    {
        Module module = Optimizing.ModuleOf(b =>
        {
            Node small = Matrix(b, b.Parameter(0, Row));
            Node large = b.Parameter(1, new(DType.F32, Shape.Of(64, 64)));
            Node wide = b.Dot(large, b.Constant(Optimizing.Random(new(DType.F32, Shape.Of(64, 640)), 7, special: false)));
            Node narrow = b.Dot(wide, b.Constant(Optimizing.Random(new(DType.F32, Shape.Of(640, 64)), 8, special: false)));
            return [Matrix(b, b.Concatenate([small, narrow], 0))];
        });
        Module fused = Optimizing.Run(new Fusion(), module);
        long apart = BufferAssigner.Assign(fused).Pack(_ => 0).SizeInBytes;
        MemoryPlan shared = BufferAssigner.Assign(fused, new MemoryPlanOptions { SharesParts = true });
        MemoryPlanChecker.Check(shared, _ => 0);
        Assert.That(shared.Pack(_ => 0).SizeInBytes, Is.LessThanOrEqualTo(apart));
    }

    [Test]
    public void PlacesMayDependOnSymbols()
    {
        var batch = Dim.Symbol("batch", 1, 512);
        Module Build(Dim n) => Optimizing.ModuleOf(b =>
        {
            Node x = b.Parameter(0, new TensorType(DType.F32, [n, 64]));
            Node c = b.Concatenate([Matrix(b, x), Matrix(b, b.Negate(x)), Matrix(b, b.Parameter(1, Row))], 0);
            return [Matrix(b, b.Slice(c, [n, 0], [(2 * n) + 1, 64]))];
        });
        Module module = Build(batch);
        MemoryPlan plan = BufferAssigner.Assign(Optimizing.Run(new Fusion(), module), new MemoryPlanOptions { SharesParts = true });
        Assert.That(Joins(plan), Is.EqualTo(2));
        foreach (long n in (long[])[1, 7, 512])
        {
            MemoryPlanChecker.Check(plan, _ => n);
        }
        Literal[] arguments =
            [
                Optimizing.Random(new(DType.F32, Shape.Of(7, 64)), 1, special: false),
                Optimizing.Random(Row, 2, special: false),
            ];
        LiteralAssert.AreClose(CompiledModule.Run(module, arguments)[0], Evaluator.Evaluate(Build(7).Entry, arguments)[0], 1e-4, 1e-4);
    }

    private static long[][] Boxes(MemoryPlan plan) =>
        [.. plan.Buffers.Select(b => b.Box).OfType<PartBox>().Select(box => box.Starts.ToArray()).OrderBy(s => s[^1])];

    private static int Joins(MemoryPlan plan) => plan.Entry.Steps.OfType<PartsStep>().Count();

    private static Node Matrix(GraphBuilder b, Node x) =>
        b.Dot(x, b.Constant(Optimizing.Random(new TensorType(DType.F32, Shape.Of(64, 64)), 3, special: false)));

    private static MemoryPlan PlanOf(Func<GraphBuilder, IReadOnlyList<Node>> build)
    {
        Module module = Optimizing.ModuleOf(build);
        Module fused = Optimizing.Run(new Fusion(), module);
        MemoryPlan plan = BufferAssigner.Assign(fused, new MemoryPlanOptions { SharesParts = true });
        MemoryPlanChecker.Check(plan, _ => 0);
        Literal[] arguments = [.. module.Entry.ParameterTypes.Select((type, i) => Optimizing.Random(type, i + 1, special: false))];
        Literal[] expected = Evaluator.Evaluate(module.Entry, arguments);
        Literal[] compiled = CompiledModule.Run(module, arguments, 2);
        Literal[] planned = PlanInterpreter.Run(plan, arguments);
        for (int i = 0; i < expected.Length; i++)
        {
            LiteralAssert.AreEqual(planned[i], expected[i], $"planned, result {i}");
            LiteralAssert.AreClose(compiled[i], expected[i], 1e-3, 1e-3, $"compiled, result {i}");
        }
        return plan;
    }
}
