using System.Runtime.InteropServices;

namespace Graphene.Codegen;

/// <summary>The contents of all buffers of a kernel for a run, with shadows where an access can be in the way of another.</summary>
internal sealed class SimtMemories
{
    private readonly Dictionary<KBuffer, SimtMemory> _known = new(ReferenceEqualityComparer.Instance);
    private byte[] _shared = [];

    public SimtMemories(
        Kernel kernel, IReadOnlyList<KBuffer> buffers, bool[] isWritten, SharedMemoryLayout shared, IReadOnlyList<Memory<byte>> arguments)
    {
        AddArguments(kernel, arguments, [.. kernel.Arguments.Select(a => buffers.Zip(isWritten).Any(b => b.First == a && b.Second))]);
        AddShared(shared);
        foreach (KBuffer buffer in buffers.Where(b => b.Space == KBufferSpace.Scratch))
        {
            var bytes = new byte[checked(kernel.Threads!.Count * buffer.Length * buffer.Element.SizeInBytes())];
            _known.Add(buffer, new SimtMemory(buffer, bytes, buffer.Length, null, 0));
        }
        All = [.. buffers.Select(b => _known[b])];
    }

    /// <summary>All that the threads of a task share.</summary>
    public Span<byte> Shared => _shared;

    /// <summary>In the order of the buffers.</summary>
    public SimtMemory[] All { get; }

    private void AddShared(SharedMemoryLayout shared)
    {
        byte[] bytes = _shared = new byte[shared.SizeInBytes];
        foreach (IGrouping<KBuffer, KBuffer> place in shared.Buffers.GroupBy(SharedMemoryLayout.PlaceOf))
        {
            var shadow = new AccessShadow(
                place.Min(b => b.Element.SizeInBytes()), place.Max(b => b.Length * b.Element.SizeInBytes()), isShared: true);
            foreach (KBuffer buffer in place)
            {
                Memory<byte> own = bytes.AsMemory((int)shared[buffer], (int)(buffer.Length * buffer.Element.SizeInBytes()));
                _known.Add(buffer, new SimtMemory(buffer, own, buffer.Length, shadow, 0, shared[buffer]));
            }
        }
    }

    // Arguments that share memory, such as a result in the place of an operand, share a shadow.
    private void AddArguments(Kernel kernel, IReadOnlyList<Memory<byte>> arguments, bool[] isWritten)
    {
        int[] order = [.. Enumerable.Range(0, arguments.Count).OrderBy(i => Place(arguments[i]).Begin)];
        var group = new List<int>();
        foreach (byte[] owner in order.Select(i => Place(arguments[i]).Owner).Distinct().ToList())
        {
            long end = 0;
            foreach (int i in order.Where(i => ReferenceEquals(Place(arguments[i]).Owner, owner)))
            {
                (_, int begin) = Place(arguments[i]);
                if (group.Count > 0 && begin >= end)
                {
                    Close(kernel, arguments, isWritten, group);
                }
                group.Add(i);
                end = Math.Max(end, begin + arguments[i].Length);
            }
            Close(kernel, arguments, isWritten, group);
        }
    }

    private void Close(Kernel kernel, IReadOnlyList<Memory<byte>> arguments, bool[] isWritten, List<int> group)
    {
        long start = group.Min(i => Place(arguments[i]).Begin);
        long size = group.Max(i => Place(arguments[i]).Begin + arguments[i].Length) - start;
        int granule = group.Min(i => kernel.Arguments[i].Element.SizeInBytes());
        if (group.Any(i => (Place(arguments[i]).Begin - start) % granule != 0))
        {
            granule = 1;
        }
        AccessShadow? shadow = group.Any(i => isWritten[i]) ? new AccessShadow(granule, size, isShared: false) : null;
        foreach (int i in group)
        {
            KBuffer buffer = kernel.Arguments[i];
            _known.Add(buffer, new SimtMemory(
                buffer, arguments[i], arguments[i].Length / buffer.Element.SizeInBytes(), shadow, Place(arguments[i]).Begin - start));
        }
        group.Clear();
    }

    private static (byte[] Owner, int Begin) Place(Memory<byte> memory) =>
        MemoryMarshal.TryGetArray((ReadOnlyMemory<byte>)memory, out ArraySegment<byte> segment)
            ? (segment.Array!, segment.Offset)
            : ([], 0);
}
