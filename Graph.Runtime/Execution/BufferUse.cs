namespace Graphene.Runtime;

/// <summary>A buffer and the input, output or other buffer that it has to do with.</summary>
internal readonly record struct BufferUse(int Buffer, int Index)
{
    /// <summary>Nothing.</summary>
    public static BufferUse None => new(-1, -1);

    /// <summary>The buffers of one kind.</summary>
    public static BufferUse[] Of(ExecutablePlan plan, BufferKind kind) => Of(
        plan.BufferTable.Length, i => plan.BufferTable[i].Kind == kind ? new BufferUse(i, plan.BufferTable[i].Index) : None);

    /// <summary>What there is of a number of uses; no query, since that costs milliseconds in a new process.</summary>
    public static BufferUse[] Of(int count, Func<int, BufferUse> use)
    {
        var uses = new BufferUse[count];
        int used = 0;
        for (int i = 0; i < count; i++)
        {
            uses[used] = use(i);
            used += uses[used] == None ? 0 : 1;
        }
        var found = new BufferUse[used];
        Array.Copy(uses, found, used);
        return found;
    }
}
