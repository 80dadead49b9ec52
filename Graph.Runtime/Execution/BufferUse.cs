namespace Graphene.Runtime;

/// <summary>A buffer and the input, output or other buffer that it has to do with.</summary>
/// <remarks>Found by loops: queries and functions are types that a start would wait for.</remarks>
internal readonly struct BufferUse(int buffer, int index)
{
    /// <summary>The buffer.</summary>
    public int Buffer { get; } = buffer;

    /// <summary>The number of the input, output or other buffer.</summary>
    public int Index { get; } = index;

    /// <summary>Both.</summary>
    public void Deconstruct(out int buffer, out int index)
    {
        buffer = Buffer;
        index = Index;
    }

    /// <summary>The buffers of one kind.</summary>
    public static BufferUse[] Of(ExecutablePlan plan, BufferKind kind)
    {
        BufferSpec[] buffers = plan.BufferTable;
        int count = 0;
        foreach (BufferSpec buffer in buffers)
        {
            count += buffer.Kind == kind ? 1 : 0;
        }
        var uses = new BufferUse[count];
        count = 0;
        for (int i = 0; i < buffers.Length; i++)
        {
            if (buffers[i].Kind == kind)
            {
                uses[count++] = new BufferUse(i, buffers[i].Index);
            }
        }
        return uses;
    }

    /// <summary>Outputs whose bytes are in another buffer than one that is that output's memory.</summary>
    public static BufferUse[] OfCopiedOutputs(ExecutablePlan plan)
    {
        int count = 0;
        for (int i = 0; i < plan.OutputTable.Length; i++)
        {
            count += IsCopied(plan, i) ? 1 : 0;
        }
        var uses = new BufferUse[count];
        count = 0;
        for (int i = 0; i < plan.OutputTable.Length; i++)
        {
            if (IsCopied(plan, i))
            {
                uses[count++] = new BufferUse(plan.OutputTable[i].Buffer, i);
            }
        }
        return uses;
    }

    private static bool IsCopied(ExecutablePlan plan, int output)
    {
        BufferSpec buffer = plan.BufferTable[plan.OutputTable[output].Buffer];
        return buffer.Kind != BufferKind.Result || buffer.Index != output;
    }
}
