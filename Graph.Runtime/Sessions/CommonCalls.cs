namespace Graphene.Runtime;

/// <summary>Calls with element types that most models have.</summary>
/// <remarks>
/// Never run. Generic methods over numbers are compiled ahead of time where somebody in this assembly uses them; otherwise each new process
/// compiles them when it calls them first, a few milliseconds on the way to a first answer.
/// </remarks>
internal static class CommonCalls
{
    /// <summary>Uses what is to be compiled.</summary>
    internal static void Use(Callable call, BoundCall bound)
    {
        Of<float, float>(call, bound);
        Of<byte, float>(call, bound);
        Of<int, float>(call, bound);
        Of<long, float>(call, bound);
        Of<long, long>(call, bound);
        Of<double, double>(call, bound);
        call.Run<float, float, float>([], [], []);
    }

    private static void Of<TIn, TOut>(Callable call, BoundCall bound)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        call.Run<TIn, TOut>([], []);
        _ = bound.Input<TIn>(0);
        _ = bound.Output<TOut>(0);
        bound.UseInput<TIn>(0, default);
        bound.UseOutput<TOut>(0, default);
        _ = Feed.Of<TIn>(default);
    }
}
