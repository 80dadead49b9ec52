using Graphene.Codegen;

namespace Graphene.Cli;

/// <summary>One readable error for whatever went wrong; never a stack trace.</summary>
internal static class ErrorReport
{
    /// <summary>Writes the error and says how the process should end.</summary>
    public static int Write(Exception exception, TextWriter error)
    {
        switch (exception)
        {
            case UsageException or GraphException or NativeLibraryException:
                error.WriteLine($"graphene: {exception.Message}");
                break;
            case OperationCanceledException:
                error.WriteLine("graphene: cancelled");
                break;
            case IOException or UnauthorizedAccessException:
                error.WriteLine($"graphene: {exception.Message}");
                break;
            case OutOfMemoryException:
                error.WriteLine("graphene: there is not enough memory for this graph and these sizes");
                break;
            case AggregateException { InnerExceptions: [var only] }:
                return Write(only, error);
            default:
                error.WriteLine(
                    $"graphene: internal error, please report it: {exception.GetType().Name}: {exception.Message} " +
                    "(GRAPHENE_STACK_TRACES=1 shows where)");
                break;
        }
        return ExitCode.BadInput;
    }
}
