using Microsoft.Extensions.Logging;

namespace Graphene.Hosting;

/// <summary>What is logged about models, in the category <c>Graphene.Hosting</c>.</summary>
internal static partial class ModelLog
{
    /// <summary>The category.</summary>
    public const string Category = "Graphene.Hosting";

    [LoggerMessage(
        EventId = 1, Level = LogLevel.Information,
        Message = "Model '{Model}' is ready: version {Version} from {Path}, loaded and warmed up in {Milliseconds:F1} ms")]
    public static partial void Ready(ILogger logger, string model, string version, string path, double milliseconds);

    [LoggerMessage(
        EventId = 2, Level = LogLevel.Information,
        Message = "Model '{Model}': version {Version} takes the place of {Old}, loaded and warmed up in {Milliseconds:F1} ms")]
    public static partial void Replaced(ILogger logger, string model, string version, string old, double milliseconds);

    [LoggerMessage(
        EventId = 3, Level = LogLevel.Warning,
        Message = "Model '{Model}': the changed file {Path} is not taken, version {Version} stays: {Reason}")]
    public static partial void NotTaken(ILogger logger, string model, string path, string version, string reason);

    [LoggerMessage(
        EventId = 4, Level = LogLevel.Debug, Message = "Model '{Model}': {Path} was written, but holds version {Version} as before")]
    public static partial void Unchanged(ILogger logger, string model, string path, string version);

    [LoggerMessage(
        EventId = 5, Level = LogLevel.Debug, Message = "Model '{Model}': version {Version} has answered its last request and is unloaded")]
    public static partial void Unloaded(ILogger logger, string model, string version);

    [LoggerMessage(
        EventId = 6, Level = LogLevel.Information,
        Message = "Model '{Model}': the system reports no changes of {Path} ({Reason}); it is looked at every {Interval}")]
    public static partial void NotWatched(ILogger logger, string model, string path, string reason, TimeSpan interval);

    [LoggerMessage(EventId = 7, Level = LogLevel.Critical, Message = "Model '{Model}' cannot be loaded: {Reason}")]
    public static partial void NotLoaded(ILogger logger, string model, string reason);

    [LoggerMessage(
        EventId = 8, Level = LogLevel.Warning, Message = "Model '{Model}': its changed settings are not taken: {Reason}")]
    public static partial void BadSettings(ILogger logger, string model, string reason);
}
