using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>Kernels as their own text, for the device that interprets them: one object with all.</summary>
internal sealed class KernelTextWriter : IGpuCodeWriter
{
    private readonly Dictionary<string, GpuEntry> _entries = new(StringComparer.Ordinal);
    private readonly StringBuilder _text = new();

    /// <inheritdoc/>
    public GpuCodeForm Form => GpuCodeForm.KernelText;

    /// <summary>The symbols of the run that a kernel reads, in the order in which it is passed their values.</summary>
    public static ImmutableArray<DimSymbol> RunSymbols(Kernel kernel) =>
        [.. new KernelNames(kernel).Symbols.Where(s => !kernel.Sizes.Contains(s))];

    /// <inheritdoc/>
    public GpuEntry Add(Kernel kernel)
    {
        // Neither name nor cost is part of what a kernel does.
        Kernel plain = kernel with { Name = "", Cost = new KernelCost(0, 0) };
        string key = KernelPrinter.Print(plain);
        if (!_entries.TryGetValue(key, out GpuEntry? entry))
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{kernel.Name}_{_entries.Count}");
            _text.Append(KernelPrinter.Print(plain with { Name = name }));
            entry = new GpuEntry(name, 0, kernel.Threads!.Count, 0, RunSymbols(plain));
            _entries.Add(key, entry);
        }
        return entry;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ObjectCode> Finish() => [new ObjectCode("kernels", Encoding.UTF8.GetBytes(_text.ToString()))];

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing but managed memory is held.
    }
}
