namespace Graphene.Runtime;

// Running functions.
public sealed partial class Session
{
    /// <summary>Calls a function with values: traces it if it must be, compiles the trace when it is called first, and runs it.</summary>
    /// <param name="function">A function of this session's graph.</param>
    /// <param name="arguments">Its arguments; elements without a shape are a vector.</param>
    /// <returns>Its results.</returns>
    /// <exception cref="GraphException">The arguments do not fit, or a check in the function failed.</exception>
    public Literal[] Call(Function function, params ReadOnlySpan<Feed> arguments)
    {
        Feed[] feeds = arguments.ToArray();
        FunctionEntry entry = function.EntryFor(Array.ConvertAll(feeds, TypeOf));
        return Run(entry.Call.Results, [.. entry.Arguments.Zip(feeds)], [entry.Call.Operation]);
    }

    /// <summary>Compiles a function for repeated use; every run of the callable is a call.</summary>
    /// <param name="function">A function of this session's graph.</param>
    /// <param name="types">The types of its arguments; sizes may be symbolic.</param>
    /// <returns>A callable, to be disposed after use and before the session.</returns>
    /// <exception cref="GraphException">The types do not fit, or the function cannot be compiled.</exception>
    public Callable MakeCallable(Function function, params ReadOnlySpan<TensorType> types)
    {
        FunctionEntry entry = function.EntryFor(types.ToArray());
        return MakeCallable(entry.Call.Results, entry.Arguments, [entry.Call.Operation]);
    }

    private static TensorType TypeOf(Feed feed) => new(
        feed.DType, feed.HasShape ? Shape.Of(feed.Shape) : Shape.Of(feed.Bytes.Length / feed.DType.SizeInBytes()));
}
