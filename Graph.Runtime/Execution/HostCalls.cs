using System.Globalization;
using System.Text;

namespace Graphene.Runtime;

/// <summary>Carries out prints, assertions and taps of compiled code.</summary>
internal sealed unsafe class HostCalls
{
    private const int MaxPrinted = 32;
    private readonly HostCallSpec[] _calls;
    private readonly DimProgram[][][] _shapes; // by call, operand, axis

    /// <summary>Prepares for the host calls of a plan.</summary>
    public HostCalls(HostCallSpec[] calls, SignatureBinder binder)
    {
        _calls = calls;
        _shapes = ShapesOf(calls, binder);
    }

    /// <summary>Carries out one call.</summary>
    /// <exception cref="GraphException">GR1403: an assertion does not hold.</exception>
    public void Handle(
        long id, void** arguments, ReadOnlySpan<long> symbols, TextWriter? output, Action<string, Literal>? taps)
    {
        if (id < 0 || id >= _calls.Length)
        {
            throw new CompilerBugException("compiled code", $"it made host call {id} of {_calls.Length}");
        }
        HostCallSpec call = _calls[(int)id];
        switch (call.Kind)
        {
            case HostCallKind.Print:
                Print(call, _shapes[id], arguments, symbols, output ?? Console.Error);
                break;
            case HostCallKind.Assert:
                Assert(call, _shapes[id], arguments, symbols);
                break;
            case HostCallKind.Tap when taps is not null:
                taps(call.Message, ValueOf(call.Operands[0].DType, Extents(_shapes[id][0], symbols), (byte*)arguments[0]));
                break;
        }
    }

    private static DimProgram[][][] ShapesOf(HostCallSpec[] calls, SignatureBinder binder) =>
        [.. calls.Select(c => c.Operands.Select(o => o.Shape.Select(binder.Compile).ToArray()).ToArray())];

    private static void Print(
        HostCallSpec call, DimProgram[][] shapes, void** arguments, ReadOnlySpan<long> symbols, TextWriter output)
    {
        var text = new StringBuilder(call.Message);
        for (int i = 0; i < shapes.Length; i++)
        {
            DType type = call.Operands[i].DType;
            long[] shape = Extents(shapes[i], symbols);
            text.Append(CultureInfo.InvariantCulture, $" {type.Name()}[{string.Join(",", shape)}]");
            AppendElements(text, type, (byte*)arguments[i], Count(shape));
        }
        lock (output)
        {
            output.WriteLine(text);
        }
    }

    private static void AppendElements(StringBuilder text, DType type, byte* elements, long count)
    {
        text.Append(" [");
        for (long i = 0; i < Math.Min(count, MaxPrinted); i++)
        {
            text.Append(i == 0 ? "" : ", ").Append(Read(type, elements + (i * type.SizeInBytes())));
        }
        text.Append(count > MaxPrinted ? $", ... {count - MaxPrinted} more]" : "]");
    }

    // A copy: the memory holds something else when the run goes on.
    private static Literal ValueOf(DType type, long[] shape, byte* elements)
    {
        int bytes = checked((int)(Count(shape) * type.SizeInBytes()));
        return new Literal(new TensorType(type, Shape.Of(shape)), new ReadOnlySpan<byte>(elements, bytes).ToArray());
    }

    private static Scalar Read(DType type, byte* element) => Scalar.FromBits(type, type.SizeInBytes() switch
    {
        1 => *element,
        2 => *(ushort*)element,
        4 => *(uint*)element,
        _ => *(ulong*)element,
    });

    private static void Assert(HostCallSpec call, DimProgram[][] shapes, void** arguments, ReadOnlySpan<long> symbols)
    {
        var condition = (byte*)arguments[0];
        long count = Count(Extents(shapes[0], symbols));
        for (long i = 0; i < count; i++)
        {
            if (condition[i] == 0)
            {
                throw new GraphException(
                    DiagnosticId.AssertionFailed, $"assertion failed: {call.Message}", where: call.Origin,
                    why: count == 1 ? "its condition is false" : $"element {i} of its condition is false",
                    fix: "feed values for which the condition holds");
            }
        }
    }

    private static long[] Extents(DimProgram[] dims, ReadOnlySpan<long> symbols)
    {
        long[] extents = new long[dims.Length];
        for (int i = 0; i < extents.Length; i++)
        {
            extents[i] = SignatureBinder.Evaluate(dims[i], symbols);
        }
        return extents;
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (product, extent) => product * extent);
}
