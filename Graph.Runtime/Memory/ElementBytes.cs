using System.Buffers;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Memory of elements seen as memory of bytes, without a copy.</summary>
/// <typeparam name="T">The element type.</typeparam>
internal sealed unsafe class ElementBytes<T>(ReadOnlyMemory<T> elements) : MemoryManager<byte>
    where T : unmanaged
{
    // Nothing writes through this view: it is handed out as read-only memory.
    private readonly Memory<T> _elements = MemoryMarshal.AsMemory(elements);

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(_elements.Span);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        MemoryHandle handle = _elements.Pin();
        return new MemoryHandle((byte*)handle.Pointer + elementIndex, default, new PinnedElements(handle));
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        // Each pin is undone by its own handle.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // The memory belongs to whoever made it.
    }

    private sealed class PinnedElements(MemoryHandle handle) : IPinnable
    {
        private MemoryHandle _handle = handle;

        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException("the elements are pinned already");

        public void Unpin() => _handle.Dispose();
    }
}
