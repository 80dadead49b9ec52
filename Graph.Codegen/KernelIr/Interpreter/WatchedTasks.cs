namespace Graphene.Codegen;

/// <summary>
/// In which tasks of a kernel the interpreter looks for races in memory that the threads of a task share. Everything else is
/// checked in each task: bounds, alignment, who comes to barriers, and races in the kernel's arguments.
/// </summary>
/// <param name="OneOf">One task of so many is watched; 1 for all of them.</param>
/// <remarks>
/// Where a task is not watched, copies arrive at once and nobody remembers who read what. The tasks of a kernel run the same
/// statements, so some of them, with the first and the last ones that have edges, show what all do: meant for models whose
/// kernels have very many.
/// </remarks>
public readonly record struct WatchedTasks(int OneOf)
{
    private const int Ends = 4;

    /// <summary>All tasks.</summary>
    public static WatchedTasks All => new(1);

    /// <summary>Whether a task is watched.</summary>
    /// <param name="task">The task.</param>
    /// <param name="begin">The first one.</param>
    /// <param name="end">The one behind the last.</param>
    public bool Contains(long task, long begin, long end)
    {
        if (OneOf <= 1 || task < begin + Ends || task >= end - Ends)
        {
            return true;
        }
        // Tasks lie in grids, so that a fixed remainder could be one column of it, again and again.
        (long round, long at) = Math.DivRem(task, OneOf);
        return at == round % OneOf;
    }
}
