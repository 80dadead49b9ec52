namespace Graphene.Runtime;

/// <summary>What the linker adds to the objects: stubs that reach the C library, and a table of addresses.</summary>
/// <remarks>
/// The C library is usually farther away than a call reaches, so code calls a stub that jumps there. Position
/// independent code may load an address from a table (the global offset table) instead of computing it.
/// </remarks>
internal sealed class LinkageTables
{
    public const int StubSize = 32;
    public const int StubAlignment = 16;
    public const int AddressSize = 8;

    private ResolvedSymbol[] _slots = new ResolvedSymbol[16];
    private int[] _next = new int[16]; // of those with the same bucket, the slot before plus one
    private int[] _buckets = new int[16];

    /// <summary>Goes over all relocations and finds out what is needed.</summary>
    public LinkageTables(ElfObject[] objects, SymbolResolver symbols, IRelocator relocator)
    {
        for (int o = 0; o < objects.Length; o++)
        {
            foreach (ElfRelocation relocation in objects[o].Relocations)
            {
                ResolvedSymbol symbol = symbols.Resolve(o, relocation.Symbol);
                switch (relocator.TargetOf(relocation.Type))
                {
                    case RelocationTarget.Unsupported:
                        throw new ObjectLoadException(
                            objects[o].Name, $"relocations of type {relocation.Type} are not supported");
                    case RelocationTarget.AddressTableEntry:
                        if (SlotOf(symbol) < 0)
                        {
                            Add(symbol);
                        }
                        break;
                }
            }
        }

        StubCount = symbols.ExternalNames.Count;
    }

    /// <summary>One stub for each function outside.</summary>
    public int StubCount { get; }

    /// <summary>The entries of the address table.</summary>
    public int SlotCount { get; private set; }

    /// <summary>What an entry of the address table holds the address of.</summary>
    public ResolvedSymbol InSlot(int slot) => _slots[slot];

    /// <summary>The entry of a symbol; -1 when it has none. No dictionary, for the reason that <see cref="NameTable"/> gives.</summary>
    public int SlotOf(ResolvedSymbol symbol)
    {
        int slot = _buckets[symbol.Hash & (_buckets.Length - 1)] - 1;
        while (slot >= 0 && !_slots[slot].Is(symbol))
        {
            slot = _next[slot] - 1;
        }
        return slot;
    }

    private void Add(ResolvedSymbol symbol)
    {
        if (SlotCount == _slots.Length)
        {
            var slots = new ResolvedSymbol[2 * SlotCount];
            Array.Copy(_slots, slots, SlotCount);
            _slots = slots;
            _next = new int[slots.Length];
            _buckets = new int[slots.Length];
            for (int i = 0; i < SlotCount; i++)
            {
                Link(i);
            }
        }
        _slots[SlotCount] = symbol;
        Link(SlotCount++);
    }

    private void Link(int slot)
    {
        int bucket = _slots[slot].Hash & (_buckets.Length - 1);
        _next[slot] = _buckets[bucket];
        _buckets[bucket] = slot + 1;
    }
}
