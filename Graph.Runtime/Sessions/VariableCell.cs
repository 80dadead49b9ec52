namespace Graphene.Runtime;

/// <summary>
/// The two blocks of a variable: runs read the one and write the next value into the other, and a run
/// that succeeded swaps them.
/// </summary>
internal sealed unsafe class VariableCell : IDisposable
{
    private GpuDevice? _device;
    private VariableBlock _current;
    private VariableBlock? _next;

    /// <summary>A variable with a first value.</summary>
    public VariableCell(ReadOnlySpan<byte> initial)
    {
        _current = VariableBlock.Allocate(null, initial.Length);
        Write(initial);
    }

    /// <summary>A variable with a first value in native memory, or zeros.</summary>
    public VariableCell(byte* initial, long length)
    {
        _current = VariableBlock.Allocate(null, length);
        Set(initial);
    }

    /// <summary>The present value.</summary>
    public byte* Current => _current.Pointer;

    /// <summary>Where the next value goes; allocated when the variable is assigned first.</summary>
    public byte* Next => (_next ??= VariableBlock.Allocate(_device, _current.Length)).Pointer;

    /// <summary>The size of a value.</summary>
    public long SizeInBytes => _current.Length;

    /// <summary>Copies a value, or zeros for null, over the present one.</summary>
    public void Set(byte* value) => _current.Write(value);

    /// <summary>Copies a value over the present one.</summary>
    public void Write(ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            fixed (byte* from = value)
            {
                _current.Write(from);
            }
        }
    }

    /// <summary>Copies the present value of another variable of the same size and place over the present one.</summary>
    public void CopyFrom(VariableCell other)
    {
        if (_device is null)
        {
            Set(other.Current);
        }
        else
        {
            Write(other.ToArray());
        }
    }

    /// <summary>A copy of the present value.</summary>
    public byte[] ToArray()
    {
        byte[] value = GC.AllocateUninitializedArray<byte>(checked((int)SizeInBytes));
        if (value.Length > 0)
        {
            fixed (byte* to = value)
            {
                _current.Read(to);
            }
        }
        return value;
    }

    /// <summary>Moves the value to where programs of a device want it; nothing happens when it is there.</summary>
    /// <param name="device">The device; null for the host.</param>
    public void PlaceOn(GpuDevice? device)
    {
        if (ReferenceEquals(device, _device))
        {
            return;
        }
        VariableBlock moved = VariableBlock.Allocate(device, _current.Length);
        try
        {
            if (SizeInBytes > 0)
            {
                fixed (byte* value = ToArray())
                {
                    moved.Write(value);
                }
            }
        }
        catch
        {
            moved.Dispose();
            throw;
        }
        Dispose();
        (_device, _current, _next) = (device, moved, null);
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
