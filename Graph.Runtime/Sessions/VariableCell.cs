namespace Graphene.Runtime;

/// <summary>The two blocks of a variable: runs read the one and write the next value into the other, and a run that succeeded swaps them.</summary>
internal sealed unsafe class VariableCell : IDisposable
{
    private NativeBlock _current;
    private NativeBlock? _next;

    /// <summary>A variable with a first value.</summary>
    public VariableCell(ReadOnlySpan<byte> initial)
    {
        _current = NativeBlock.Allocate(initial.Length);
        initial.CopyTo(_current.Bytes(0, initial.Length));
    }

    /// <summary>A variable with a first value in native memory, or zeros.</summary>
    public VariableCell(byte* initial, long length)
    {
        _current = NativeBlock.Allocate(length);
        Set(initial);
    }

    /// <summary>The present value.</summary>
    public byte* Current => _current.Pointer;

    /// <summary>Where the next value goes; allocated when the variable is assigned first.</summary>
    public byte* Next => (_next ??= NativeBlock.Allocate((long)_current.Length)).Pointer;

    /// <summary>The size of a value.</summary>
    public long SizeInBytes => (long)_current.Length;

    /// <summary>Copies a value, or zeros for null, over the present one.</summary>
    public void Set(byte* value)
    {
        if (value is null)
        {
            System.Runtime.InteropServices.NativeMemory.Clear(_current.Pointer, _current.Length);
        }
        else
        {
            Buffer.MemoryCopy(value, _current.Pointer, (long)_current.Length, (long)_current.Length);
        }
    }

    /// <summary>Makes the next value the present one.</summary>
    public void Swap() => (_current, _next) = (_next!, _current);

    /// <inheritdoc/>
    public void Dispose()
    {
        _current.Dispose();
        _next?.Dispose();
    }
}

/// <summary>How a program uses a variable.</summary>
/// <param name="Cell">Its memory.</param>
/// <param name="Input">The program's input that takes its value; -1 when a run does not read it.</param>
/// <param name="Output">The output that gives its next value; -1 when a run does not assign it.</param>
internal sealed record VariableUse(VariableCell Cell, int Input, int Output);
