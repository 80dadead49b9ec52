namespace Graphene.Hosting;

/// <summary>The short names of errors in metrics and traces.</summary>
internal static class ErrorName
{
    /// <summary>The id of an error of ours, the type of any other.</summary>
    public static string Of(Exception error) => error is GraphException e ? e.Id.Code : error.GetType().FullName!;
}
