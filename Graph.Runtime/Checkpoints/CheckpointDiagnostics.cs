namespace Graphene.Runtime;

public static partial class RuntimeDiagnostics
{
    /// <summary>A checkpoint or its folder cannot be opened or written.</summary>
    public static readonly DiagnosticId CheckpointAccess = new("GR6301", "checkpoint cannot be opened or written");

    /// <summary>A file is not a checkpoint, or its content is not what was written.</summary>
    public static readonly DiagnosticId CheckpointDamaged = new("GR6302", "checkpoint is damaged");

    /// <summary>What a checkpoint holds is not what is to be restored.</summary>
    public static readonly DiagnosticId CheckpointMismatch = new("GR6303", "checkpoint does not fit");

    /// <summary>A checkpoint asks for more memory than it may have.</summary>
    public static readonly DiagnosticId CheckpointTooLarge = new("GR6304", "checkpoint too large");

    /// <summary>Somebody else writes checkpoints into a folder.</summary>
    public static readonly DiagnosticId CheckpointInUse = new("GR6305", "checkpoint folder is in use");
}
