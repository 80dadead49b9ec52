using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Graphene.Codegen;

/// <summary>JSON that people read and tools compare: indented, with the same ends of lines everywhere, also of the last one.</summary>
internal static class JsonText
{
    /// <summary>The text of an object.</summary>
    /// <param name="writeFields">Writes what is in it.</param>
    public static string Of(Action<Utf8JsonWriter> writeFields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            writeFields(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    /// <summary>Writes a list.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="name">The list's name.</param>
    /// <param name="items">What is in it.</param>
    /// <param name="write">Writes one value for an item.</param>
    public static void WriteList<T>(this Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (T item in items)
        {
            write(item);
        }
        json.WriteEndArray();
    }

    /// <summary>Writes a list of objects.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="name">The list's name.</param>
    /// <param name="items">What is in it.</param>
    /// <param name="writeFields">Writes what is in the object of an item.</param>
    public static void WriteObjects<T>(this Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> writeFields) =>
        json.WriteList(name, items, item =>
        {
            json.WriteStartObject();
            writeFields(item);
            json.WriteEndObject();
        });

    /// <summary>Writes a list of texts.</summary>
    public static void WriteStrings(this Utf8JsonWriter json, string name, IEnumerable<string> texts) =>
        json.WriteList(name, texts, json.WriteStringValue);

    /// <summary>Writes the symbols that callers give values, as <c>dims</c>.</summary>
    public static void WriteDims(this Utf8JsonWriter json, IEnumerable<DimSymbol> symbols) => json.WriteObjects("dims", symbols, symbol =>
    {
        json.WriteString("name", symbol.Name);
        json.WriteNumber("min", symbol.Min);
        json.WriteNumber("max", symbol.Max);
    });
}
