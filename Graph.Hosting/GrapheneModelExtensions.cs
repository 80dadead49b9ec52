namespace Graphene.Hosting;

/// <summary>Runs that take and give back their lease themselves.</summary>
public static class GrapheneModelExtensions
{
    /// <summary>Runs something with the present version; an exception counts as a failed run.</summary>
    /// <param name="model">The model.</param>
    /// <param name="run">Uses the version it is given, and only while it runs.</param>
    /// <exception cref="GraphException">GR8002: no version is loaded yet.</exception>
    public static TResult Run<TModel, TResult>(this IGrapheneModel<TModel> model, Func<TModel, TResult> run)
        where TModel : class, IDisposable
    {
        using ModelLease<TModel> lease = model.Acquire();
        try
        {
            return run(lease.Model);
        }
        catch (Exception e)
        {
            lease.Fail(e);
            throw;
        }
    }

    /// <summary>Runs something with the present version and an argument, so that the function need not capture it.</summary>
    /// <inheritdoc cref="Run{TModel, TResult}(IGrapheneModel{TModel}, Func{TModel, TResult})"/>
    /// <param name="model">The model.</param>
    /// <param name="argument">Passed on; may be a span.</param>
    /// <param name="run">Uses the version it is given, and only while it runs.</param>
    public static TResult Run<TModel, TArgument, TResult>(
        this IGrapheneModel<TModel> model, TArgument argument, Func<TModel, TArgument, TResult> run)
        where TModel : class, IDisposable
        where TArgument : allows ref struct
    {
        using ModelLease<TModel> lease = model.Acquire();
        try
        {
            return run(lease.Model, argument);
        }
        catch (Exception e)
        {
            lease.Fail(e);
            throw;
        }
    }
}
