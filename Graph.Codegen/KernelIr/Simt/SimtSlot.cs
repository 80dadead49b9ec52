namespace Graphene.Codegen;

/// <summary>
/// Where a value of all threads of a task lies: lane after lane, and in each lane thread after thread; or one element per lane where
/// the value is the same for all threads.
/// </summary>
/// <param name="Array">The number of the array.</param>
/// <param name="Start">The place of the first element.</param>
/// <param name="Type">Element type and lanes.</param>
/// <param name="IsUniform">Whether there is one element for all threads.</param>
internal readonly record struct SimtSlot(int Array, int Start, KType Type, bool IsUniform)
{
    /// <summary>How many elements there are.</summary>
    /// <param name="threads">The threads of a task.</param>
    public int Count(int threads) => Type.Lanes * (IsUniform ? 1 : threads);
}
