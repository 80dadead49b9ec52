using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Graphene;

/// <summary>A line of the user's code.</summary>
/// <param name="File">The file, as the compiler saw it.</param>
/// <param name="Line">The line.</param>
internal readonly record struct CallSite(string? File, int Line)
{
    /// <summary>
    /// The line that called the operator that called this method. Operators cannot ask the compiler for it as methods do, so it is
    /// read from the stack; without symbols it is unknown.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static CallSite OfOperator()
    {
        var frame = new StackFrame(2, needFileInfo: true);
        return new CallSite(frame.GetFileName(), frame.GetFileLineNumber());
    }

    /// <summary>As provenance, inside a scope.</summary>
    public Provenance ToProvenance(string scope, string? name = null) =>
        new(name, string.IsNullOrEmpty(File) ? null : File, Line, scope.Length == 0 ? null : scope);
}
