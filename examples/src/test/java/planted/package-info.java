/** Classes that break one rule of the architecture each, so that the rules can be seen to fail. */
package planted;
