namespace Graphene.Samples.DigitsWorker;

/// <summary>Where pictures come from and results go.</summary>
public sealed class FolderOptions
{
    /// <summary>The folder that is watched; made when it is not there.</summary>
    public string Inbox { get; set; } = "inbox";

    /// <summary>Where a result is written for each picture; made when it is not there.</summary>
    public string Outbox { get; set; } = "outbox";
}
