using Graphene.Codegen;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.KernelIr.Threads;

/// <summary>Products of fragments are products of matrices, in the layout that PTX documents for mma and ldmatrix.</summary>
internal sealed class FragmentTests
{
    private static readonly KVariable Task = new("task", KType.Index);
    private static readonly KVariable Thread = new("thread", KType.Index);
    private static readonly KExpr Row = KBuilder.Divide(Thread, 4);
    private static readonly KExpr Column = KBuilder.Remainder(Thread, 4);

    private static IEnumerable<TestCaseData> Shapes =>
    [
        Case(KFragmentShape.Half(DType.F16)), Case(KFragmentShape.Half(DType.BF16)), Case(KFragmentShape.TensorFloat32),
        Case(KFragmentShape.Bytes(DType.I8, DType.I8)), Case(KFragmentShape.Bytes(DType.U8, DType.I8)), Case(KFragmentShape.Double),
    ];

    /// <summary>Element by element, from the tables of the PTX manual, "Matrix Fragments for mma".</summary>
    [TestCaseSource(nameof(Shapes))]
    public void ProductsAreThoseOfMatrices(KFragmentShape shape)
    {
        var b = new KBuilder();
        (KBuffer left, KBuffer right, KBuffer sum) = Arguments(shape);
        KRegister c = b.Declare("c", Gather(sum, shape.SumLanes, i => SumPlace(shape, i)));
        KExpr a = Gather(left, shape.LeftLanes, i => LeftPlace(shape, i));
        KExpr y = Gather(right, shape.RightLanes, i => RightPlace(shape, i));
        b.Add(new KFragmentDot(shape, c, a, y));
        b.Add(new KScatter(sum, Places(shape.SumLanes, i => SumPlace(shape, i)), new KRead(c)));

        AssertProduct(shape, Of(b, left, right, sum));
    }

    [TestCase(DType.F16, false)]
    [TestCase(DType.BF16, true)]
    public void LoadedFragmentsAreThoseOfProducts(DType element, bool isTransposed)
    {
        KFragmentShape shape = KFragmentShape.Half(element);
        var b = new KBuilder();
        (KBuffer left, KBuffer right, KBuffer sum) = Arguments(shape);
        KBuffer tile = KBuffer.Shared("left", element, 16 * 16);
        KBuffer other = KBuffer.Shared("right", element, 16 * 8);
        b.Add(new KScratch(tile));
        b.Add(new KScratch(other));
        b.For("i", 0, 8, 1, i => Move(b, tile, left, i, place => place));
        b.For("i", 0, 4, 1, i => Move(b, other, right, i, place => isTransposed
            ? place // as it is, k by n: the load turns it
            : KBuilder.Add(KBuilder.Multiply(KBuilder.Remainder(place, 8), 16), KBuilder.Divide(place, 8))));
        b.Add(new KBarrier());

        // Matrices 0 and 1 are rows 0 to 7 and 8 to 15 of the first half of k, 2 and 3 those of the second half.
        KExpr lane = KBuilder.Remainder(Thread, 16);
        KExpr at = KBuilder.Add(KBuilder.Multiply(lane, 16), KBuilder.Multiply(KBuilder.Divide(Thread, 16), 8));
        var a = new KVariable("a", new KType(element, 8));
        b.Add(new KFragmentLoad(a, tile, at, 4));
        KExpr rows = isTransposed
            ? KBuilder.Multiply(lane, 8)
            : KBuilder.Add(KBuilder.Multiply(KBuilder.Remainder(lane, 8), 16), KBuilder.Multiply(KBuilder.Divide(lane, 8), 8));
        var y = new KVariable("b", new KType(element, 4));
        b.Add(new KFragmentLoad(y, other, rows, 2, isTransposed));
        KRegister c = b.Declare("c", Gather(sum, 4, i => SumPlace(shape, i)));
        b.Add(new KFragmentDot(shape, c, a, y));
        b.Add(new KScatter(sum, Places(4, i => SumPlace(shape, i)), new KRead(c)));

        AssertProduct(shape, Of(b, left, right, sum));
    }

    [Test]
    public void OperandsMustBeRounded()
    {
        var b = new KBuilder();
        KFragmentShape shape = KFragmentShape.TensorFloat32;
        (KBuffer left, KBuffer right, KBuffer sum) = Arguments(shape);
        KRegister c = b.Declare("c", new KConstant(Scalar.Zero(DType.F32), 4));
        b.Add(new KFragmentDot(
            shape, c, new KConstant(Scalar.FromDouble(DType.F32, 0.1), 4), new KConstant(Scalar.FromDouble(DType.F32, 1), 2)));

        var error = Assert.Throws<CompilerBugException>(() => Run(shape, Of(b, left, right, sum)));

        Assert.That(error!.Message, Does.Contain("thread 0 multiplies 0.1, which was not rounded to TF32"));
    }

    private static void AssertProduct(KFragmentShape shape, Kernel kernel)
    {
        (double[] a, double[] b, double[] before, double[] after) = Run(shape, kernel);

        var expected = new double[before.Length];
        for (int m = 0; m < shape.Rows; m++)
        {
            for (int n = 0; n < shape.Columns; n++)
            {
                expected[(m * shape.Columns) + n] = before[(m * shape.Columns) + n] + Enumerable.Range(0, shape.Depth)
                    .Sum(k => a[(m * shape.Depth) + k] * b[(k * shape.Columns) + n]);
            }
        }
        Assert.That(after, Is.EqualTo(expected)); // small whole numbers: every order gives the same
    }

    private static (double[] A, double[] B, double[] Before, double[] After) Run(KFragmentShape shape, Kernel kernel)
    {
        var random = new Random(7);
        double[] a = Numbers(shape.Rows * shape.Depth, shape.Left);
        double[] b = Numbers(shape.Depth * shape.Columns, shape.Right);
        double[] c = Numbers(shape.Rows * shape.Columns, shape.Sum);
        byte[] results = Bytes(shape.Sum, c);

        new KernelInterpreter(kernel, [Bytes(shape.Left, a), Bytes(shape.Right, b), results]).Run();

        return (a, b, c, [.. c.Select((_, i) => SampleBits.Value(shape.Sum, results, i).AsDouble)]);

        double[] Numbers(int count, DType type) =>
            [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(type == DType.U8 ? 0 : -8, 9))];
    }

    private static byte[] Bytes(DType type, double[] values) => SampleBits.ToBytes(
        type, [.. values.Select(v => type.IsInteger() ? Scalar.FromInteger(type, (Int128)v).Bits : Scalar.FromDouble(type, v).Bits)]);

    private static Kernel Of(KBuilder b, KBuffer left, KBuffer right, KBuffer sum) =>
        new("fragments", [left, right, sum], Task, 1, b.ToBlock(), default) { Threads = new KThreads(Thread, 32) };

    private static (KBuffer Left, KBuffer Right, KBuffer Sum) Arguments(KFragmentShape shape) => (
        KBuffer.ForArgument("a", shape.Left, 0, true), KBuffer.ForArgument("b", shape.Right, 1, true),
        KBuffer.ForArgument("c", shape.Sum, 2, false));

    private static void Move(KBuilder b, KBuffer to, KBuffer from, KExpr i, Func<KExpr, KExpr> place)
    {
        KExpr at = KBuilder.Add(KBuilder.Multiply(i, 32), Thread);
        b.Store(to, place(at), new KLoad(from, at));
    }

    private static KGather Gather(KBuffer buffer, int lanes, Func<int, KExpr> place) => new(buffer, Places(lanes, place));

    private static KExpr Places(int lanes, Func<int, KExpr> place)
    {
        KExpr all = place(0);
        int power = 1;
        while (power < lanes)
        {
            power *= 2;
        }
        KExpr[] each = [.. Enumerable.Range(0, power).Select(i => place(Math.Min(i, lanes - 1)))];
        while (each.Length > 1)
        {
            each = [.. each.Chunk(2).Select(p => new KJoin(p[0], p[1]))];
        }
        return lanes == 1 ? all : each[0];
    }

    // groupID for ci where i < 2, groupID + 8 for ci where i >= 2; threadID_in_group * 2 + (i & 1).
    private static KExpr SumPlace(KFragmentShape shape, int i) =>
        At(KBuilder.Add(Row, i < 2 ? 0 : 8), KBuilder.Add(KBuilder.Multiply(Column, 2), i & 1), shape.Columns);

    private static KExpr LeftPlace(KFragmentShape shape, int i) => shape.Left switch
    {
        DType.F64 => At(Row, Column, 4),
        DType.F32 => At(KBuilder.Add(Row, i is 0 or 2 ? 0 : 8), KBuilder.Add(Column, i < 2 ? 0 : 4), 8),
        DType.F16 or DType.BF16 => At(
            KBuilder.Add(Row, i is 0 or 1 or 4 or 5 ? 0 : 8), KBuilder.Add(KBuilder.Multiply(Column, 2), (i & 1) + (i < 4 ? 0 : 8)), 16),
        _ => At(
            KBuilder.Add(Row, i is < 4 or (>= 8 and < 12) ? 0 : 8),
            KBuilder.Add(KBuilder.Multiply(Column, 4), (i & 3) + (i < 8 ? 0 : 16)), 32),
    };

    private static KExpr RightPlace(KFragmentShape shape, int i) => At(
        shape.Right switch
        {
            DType.F64 => Column,
            DType.F32 => KBuilder.Add(Column, i == 0 ? 0 : 4),
            DType.F16 or DType.BF16 => KBuilder.Add(KBuilder.Multiply(Column, 2), (i & 1) + (i < 2 ? 0 : 8)),
            _ => KBuilder.Add(KBuilder.Multiply(Column, 4), (i & 3) + (i < 4 ? 0 : 16)),
        },
        Row, 8);

    private static KExpr At(KExpr row, KExpr column, int columns) => KBuilder.Add(KBuilder.Multiply(row, columns), column);

    private static TestCaseData Case(KFragmentShape shape) =>
        new TestCaseData(shape).SetArgDisplayNames($"m{shape.Rows}n{shape.Columns}k{shape.Depth} {shape.Left} {shape.Right}");
}
