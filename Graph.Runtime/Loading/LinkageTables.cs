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

    private readonly Dictionary<ResolvedSymbol, int> _addressSlots = [];

    /// <summary>Goes over all relocations and finds out what is needed.</summary>
    public LinkageTables(IReadOnlyList<ElfObject> objects, SymbolResolver symbols, IRelocator relocator)
    {
        for (int o = 0; o < objects.Count; o++)
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
                        _addressSlots.TryAdd(symbol, _addressSlots.Count);
                        break;
                }
            }
        }

        StubCount = symbols.ExternalNames.Count;
    }

    /// <summary>One stub for each function outside.</summary>
    public int StubCount { get; }

    /// <summary>Symbols that have an entry in the address table, with its index.</summary>
    public IReadOnlyDictionary<ResolvedSymbol, int> AddressSlots => _addressSlots;
}
