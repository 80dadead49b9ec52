namespace Graphene.Runtime;

/// <summary>How a native entry function ended; the values are part of the ABI.</summary>
public enum NativeError
{
    /// <summary>Every result is written.</summary>
    None = 0,

    /// <summary>The cancellation flag was seen; results are undefined.</summary>
    Cancelled = 1,

    /// <summary>A run-time check failed; <see cref="NativeContext.ErrorDetail"/> says which.</summary>
    CheckFailed = 2,

    /// <summary>A host call reported a failure.</summary>
    HostCallFailed = 3,
}
