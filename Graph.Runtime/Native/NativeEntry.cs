namespace Graphene.Runtime;

/// <summary>The one native entry function of a compiled graph, ready to be called.</summary>
/// <remarks>Holds an address only: whoever loaded the code must keep it loaded while the entry is in use.</remarks>
public readonly unsafe struct NativeEntry : IEquatable<NativeEntry>
{
    private readonly delegate* unmanaged[Cdecl]<NativeContext*, int> _address;

    /// <summary>Wraps the address of a function <c>int32_t entry(GrapheneContext*)</c>.</summary>
    /// <param name="address">The code address; zero makes an entry that must not be invoked.</param>
    public NativeEntry(nint address) => _address = (delegate* unmanaged[Cdecl]<NativeContext*, int>)address;

    /// <summary>The code address.</summary>
    public nint Address => (nint)_address;

    /// <summary>Runs the graph on the calling thread (and, through the context's pool, on others).</summary>
    /// <param name="context">A context whose every field is set; its buffers must stay valid during the call.</param>
    /// <returns>The context's error slot.</returns>
    public NativeError Invoke(NativeContext* context) => (NativeError)_address(context);

    /// <inheritdoc/>
    public bool Equals(NativeEntry other) => Address == other.Address;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is NativeEntry other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Address.GetHashCode();

    /// <summary>Whether both are the same function.</summary>
    public static bool operator ==(NativeEntry left, NativeEntry right) => left.Equals(right);

    /// <summary>Whether the two are different functions.</summary>
    public static bool operator !=(NativeEntry left, NativeEntry right) => !left.Equals(right);
}
