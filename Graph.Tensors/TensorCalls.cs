using System.Numerics.Tensors;
using Graphene.Runtime;

namespace Graphene.Tensors;

/// <summary>Runs compiled graphs on the tensors of .NET (<c>System.Numerics.Tensors</c>).</summary>
/// <remarks>
/// Elements that lie one behind the other are read and written in place. Others are copied: those of a slice, a transposed or a
/// broadcast tensor.
/// </remarks>
public static class TensorCalls
{
    /// <summary>Runs a plan with one input and one output.</summary>
    /// <param name="call">The plan.</param>
    /// <param name="input">A tensor of the input's shape.</param>
    /// <param name="output">A tensor of the output's shape, which receives the elements.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <exception cref="GraphException">GR6201: a shape does not fit. GR6205: an element type does not.</exception>
    /// <exception cref="OperationCanceledException">The token was raised; the output holds nothing useful.</exception>
    public static void Run<TIn, TOut>(
        this Callable call, scoped ReadOnlyTensorSpan<TIn> input, scoped TensorSpan<TOut> output, CancellationToken cancellation = default)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        RequireShape("input", call.Inputs[0].Name, call.Inputs[0].Type, input.Lengths);
        RequireShape("output", call.Outputs[0].Name, call.Outputs[0].Type, output.Lengths);
        if (!DenseMemory.TryGetSpan(input, out ReadOnlySpan<TIn> elements))
        {
            var copy = new TIn[input.FlattenedLength];
            input.FlattenTo(copy);
            elements = copy;
        }
        if (DenseMemory.TryGetSpan(output, out Span<TOut> results))
        {
            call.Run(elements, results, cancellation);
            return;
        }
        var made = new TOut[output.FlattenedLength];
        call.Run<TIn, TOut>(elements, made, cancellation);
        new ReadOnlyTensorSpan<TOut>(made, output.Lengths).CopyTo(output);
    }

    /// <summary>The memory of an input, to be written before a run.</summary>
    /// <exception cref="GraphException">GR6205: the element type differs.</exception>
    public static TensorSpan<T> InputTensor<T>(this BoundCall call, int input)
        where T : unmanaged => new(call.Input<T>(input), Lengths(call.InputShape(input)));

    /// <summary>The memory of an output, valid after a run and until the next.</summary>
    /// <exception cref="GraphException">GR6205: the element type differs.</exception>
    public static ReadOnlyTensorSpan<T> OutputTensor<T>(this BoundCall call, int output)
        where T : unmanaged => new(call.Output<T>(output), Lengths(call.OutputShape(output)));

    /// <summary>A value to feed: a copy of the elements, with their shape.</summary>
    public static Feed ToFeed<T>(this ReadOnlyTensorSpan<T> tensor)
        where T : unmanaged
    {
        var elements = new T[tensor.FlattenedLength];
        tensor.FlattenTo(elements);
        return Feed.Of<T>(elements, Extents(tensor.Lengths));
    }

    /// <summary>The value of a literal as a tensor of .NET: a copy.</summary>
    /// <exception cref="ArgumentException">The elements are of another type.</exception>
    public static Tensor<T> ToTensor<T>(this Literal literal)
        where T : unmanaged => System.Numerics.Tensors.Tensor.Create(literal.As<T>().ToArray(), Lengths(literal.Shape.ToStatic()));

    private static void RequireShape(string what, string name, TensorType type, ReadOnlySpan<nint> lengths)
    {
        bool fits = lengths.Length == type.Rank || (type.Rank == 0 && lengths is [1]);
        for (int i = 0; fits && i < type.Rank; i++)
        {
            fits = !type.Shape[i].IsStatic || type.Shape[i].Value == lengths[i];
        }
        if (!fits)
        {
            throw new GraphException(
                RuntimeDiagnostics.ShapeMismatch,
                $"{what} '{name}': a tensor of shape [{string.Join(",", lengths.ToArray())}] is not {type}",
                fix: "pass a tensor of that shape");
        }
    }

    private static nint[] Lengths(ReadOnlySpan<long> shape)
    {
        var lengths = new nint[Math.Max(1, shape.Length)]; // tensors of .NET have at least one dimension
        lengths[0] = 1;
        for (int i = 0; i < shape.Length; i++)
        {
            lengths[i] = checked((nint)shape[i]);
        }
        return lengths;
    }

    private static long[] Extents(ReadOnlySpan<nint> lengths)
    {
        var extents = new long[lengths.Length];
        for (int i = 0; i < extents.Length; i++)
        {
            extents[i] = lengths[i];
        }
        return extents;
    }
}
