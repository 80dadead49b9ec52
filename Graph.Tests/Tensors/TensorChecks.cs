using System.Numerics.Tensors;
using Graphene.Runtime;
using Graphene.Tensors;

namespace Graphene.Tests.Tensors;

/// <summary>
/// What holds of calls on .NET's tensors, without a test framework: this file is also compiled into a program with another version of
/// System.Numerics.Tensors. The model is x * 2, for x of f32[batch,3].
/// </summary>
internal static class TensorChecks
{
    private static readonly float[] Six = [1, 2, 3, 4, 5, 6];

    /// <summary>Every check, by name.</summary>
    public static (string Name, Action<Callable> Check)[] All { get; } =
    [
        ("dense tensors are read and written in place", DenseTensorsInPlace),
        ("strides of dimensions of size one mean nothing", SizeOne),
        ("tensors with gaps are copied", Gaps),
        ("bound calls show their memory as tensors", Bound),
        ("feeds and literals keep their shapes", _ => FeedsAndLiterals()),
        ("other shapes are refused", OtherShapes),
    ];

    private static void DenseTensorsInPlace(Callable call)
    {
        float[] result = new float[6];
        call.Run(new ReadOnlyTensorSpan<float>(Six, [2, 3]), new TensorSpan<float>(result, [2, 3]));
        Same(result, 2, 4, 6, 8, 10, 12);
        long allocated = Allocated(
            () => call.Run(new ReadOnlyTensorSpan<float>(Six, [2, 3]), new TensorSpan<float>(result, [2, 3])));
        Require(allocated == 0, "it copies");
    }

    // A row of a matrix: its first dimension has size 1 and whatever stride.
    private static void SizeOne(Callable call)
    {
        float[] result = new float[3];
        void Run() => call.Run(new ReadOnlyTensorSpan<float>(Six, [2, 3])[1..2, ..], new TensorSpan<float>(result, [1, 3]));
        Run();
        Same(result, 8, 10, 12);
        Require(Allocated(() => call.Run(
            new ReadOnlyTensorSpan<float>(Six, [1, 3], [0, 1]), new TensorSpan<float>(result, [1, 3], [0, 1]))) == 0, "it copies");
    }

    private static void Gaps(Callable call)
    {
        float[] wide = [1, 2, 3, 99, 4, 5, 6, 99];
        float[] result = new float[8];
        call.Run(new ReadOnlyTensorSpan<float>(wide, [2, 4])[.., 0..3], new TensorSpan<float>(result, [2, 4])[.., 1..4]);
        Same(result, 0, 2, 4, 6, 0, 8, 10, 12);
    }

    private static void Bound(Callable call)
    {
        using BoundCall bound = call.Bind([2, 3]);
        new ReadOnlyTensorSpan<float>(Six, [2, 3]).CopyTo(bound.InputTensor<float>(0));
        bound.Run();
        ReadOnlyTensorSpan<float> y = bound.OutputTensor<float>(0);
        Require(y.Lengths.SequenceEqual<nint>([2, 3]) && y[1, 2] == 12, "another shape or value");
    }

    private static void FeedsAndLiterals()
    {
        Feed feed = new ReadOnlyTensorSpan<float>(Six, [2, 3])[.., 1..2].ToFeed();
        Require(feed.Shape.SequenceEqual<long>([2, 1]), "another shape");
        Tensor<float> tensor = Literal.From<float>(Six, 3, 2).ToTensor<float>();
        Require(tensor[2, 0] == 5, "another value");
    }

    private static void OtherShapes(Callable call)
    {
        string said = "";
        try
        {
            call.Run(new ReadOnlyTensorSpan<float>(Six, [3, 2]), new TensorSpan<float>(new float[6], [2, 3]));
        }
        catch (GraphException e)
        {
            said = e.Message;
        }
        Require(said.Contains("[3,2] is not f32[batch,3]", StringComparison.Ordinal), said);
    }

    // The second time, when everything is compiled.
    private static long Allocated(Action run)
    {
        run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Same(float[] actual, params float[] expected) =>
        Require(actual.SequenceEqual(expected), $"[{string.Join(", ", actual)}]");

    private static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
